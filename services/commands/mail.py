"""``kasane mail``: what the domain's DNS has to say, so that receivers believe the mails that notify signs."""

import argparse
import sys

from services.commands import Adder
from services.settings import Settings, read_profile


def add(command: Adder) -> None:
    """Put ``kasane mail dns`` on the line."""
    one = command("mail", _mail, "案内メールの署名(DKIM)について、ドメインのDNSに書くものを示します", alone=True)
    one.add_argument("what", choices=["dns"], help="dns: DNSに書くレコード")


def _mail(_: argparse.Namespace, settings: Settings) -> int:
    """The one record that is ours. SPF and DMARC name hosts and wishes that only the city knows."""
    path = settings.dkim_key.with_name(f"{settings.dkim_key.name}.pub")
    try:
        record = path.read_text("ascii")
    except FileNotFoundError:
        print("署名の鍵がまだありません。kasane provision を実行してください。", file=sys.stderr)
        return 1
    domain = read_profile(settings.profile).office_mail.rpartition("@")[2]
    print(f"; 案内メールの差出人 {domain} のDNSに、次のTXTレコードを加えてください(255字ごとに区切ってあります)。")
    parts = " ".join(f'"{record[at : at + 255]}"' for at in range(0, len(record), 255))
    print(f"{settings.dkim_selector}._domainkey.{domain}. IN TXT ( {parts} )")
    return 0
