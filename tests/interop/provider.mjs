// An OpenID-certified provider that nobody here wrote, set up from one JSON
// argument: {"port": …, "base": "http://localhost", "clients": [{"alias": …, …}]}.
// Prints "ready" when it listens; ends with its standard input.
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const { port, clients } = JSON.parse(process.argv[2]);

const jwk = (type, options, members) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }),
  use: 'sig',
  ...members,
});

const people = {
  alice: { email: 'alice@example.test', email_verified: true, groups: ['admins', 'staff'] },
  carol: { email: 'carol@example.test', email_verified: true, groups: [] },
};

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients,
  claims: {
    openid: ['sub'],
    email: ['email', 'email_verified'],
    profile: ['preferred_username', 'given_name', 'family_name'],
    groups: ['groups'],
  },
  scopes: ['openid', 'email', 'profile', 'groups'],
  cookies: { keys: [generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }).d] },
  pkce: { required: () => true },
  jwks: {
    keys: [
      jwk('rsa', { modulusLength: 2048 }, { kid: 'rsa' }),
      jwk('ec', { namedCurve: 'P-256' }, { kid: 'p256' }),
      jwk('ed25519', {}, { kid: 'ed25519' }),
    ],
  },
  findAccount: (ctx, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      preferred_username: id,
      given_name: id[0].toUpperCase() + id.slice(1),
      family_name: 'Example',
      ...people[id],
    }),
  }),
  features: {
    devInteractions: { enabled: true },
    rpInitiatedLogout: { enabled: true },
    jwtUserinfo: { enabled: true },
    encryption: { enabled: true },
  },
  enabledJWA: {
    idTokenEncryptionAlgValues: ['RSA-OAEP-256', 'ECDH-ES'],
    idTokenEncryptionEncValues: ['A128GCM', 'A256GCM'],
    userinfoEncryptionAlgValues: ['RSA-OAEP-256', 'ECDH-ES'],
    userinfoEncryptionEncValues: ['A128GCM', 'A256GCM'],
  },
});

const server = provider.listen(port, '127.0.0.1', () => console.log('ready'));
process.stdin.resume().on('end', () => {
  server.closeAllConnections();
  server.close();
});
