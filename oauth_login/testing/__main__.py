"""`python -m oauth_login.testing`: a provider on this machine, to try by hand.

It listens on 127.0.0.1 only, and asks for no password.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Sequence

from oauth_login.testing.faults.catalogue import ALIASES, FAULTS
from oauth_login.testing.people import PEOPLE
from oauth_login.testing.provider import FakeProvider
from oauth_login.testing.serving import serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m oauth_login.testing", description=__doc__
    )
    parser.add_argument("--port", type=int, default=9000, help="9000; 0 is a free one")
    parser.add_argument(
        "--person", choices=PEOPLE, help="who logs in; without it, a page asks"
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        choices=[*FAULTS, *ALIASES],
        metavar="NAME",
        help="what the provider does wrong, for example expired; can be repeated",
    )
    options = parser.parse_args(arguments)
    provider = FakeProvider(
        person=options.person or "alice",
        asks_who=options.person is None,
        faults=options.fault,
    )
    try:
        with serve(provider, port=options.port):
            print(f"ISSUER        {provider.issuer}")
            print(f"CLIENT_ID     {provider.client_id}")
            print(f"CLIENT_SECRET {provider.client_secret}")
            print("The site needs DEBUG or ALLOW_HTTP_LOOPBACK. Ctrl-C ends it.")
            sys.stdout.flush()
            threading.Event().wait()
    except KeyboardInterrupt:
        print()
    except OSError as error:
        print(f"port {options.port}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
