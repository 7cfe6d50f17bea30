"""`python -m oauth_login.testing`: a provider on this machine, for trying by hand."""

from __future__ import annotations

import argparse
import threading

from oauth_login.testing.doors import serve
from oauth_login.testing.provider import PEOPLE, FakeProvider


def main() -> None:
    """Serve until Ctrl-C. Logs in alice, or whom `login_hint` names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=9000)
    options = parser.parse_args()
    provider = FakeProvider()
    with serve(provider, port=options.port):
        print(f"ISSUER        {provider.issuer}")
        print(f"CLIENT_ID     {provider.client_id}")
        print(f"CLIENT_SECRET {provider.client_secret}")
        print(f"people        {', '.join(PEOPLE)}; Ctrl-C ends it", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
