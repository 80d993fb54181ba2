"""``kasane mail``: what others need to believe what notify signs: the domain's DNS, the receiver of a webhook."""

import argparse
import sys

from services.commands import Adder
from services.notify.channels import webhook_key, webhook_secret
from services.settings import Settings, read_profile

NO_KEY = "署名の鍵がまだありません。kasane provision を実行してください。"


def add(command: Adder) -> None:
    """Put ``kasane mail dns`` on the line."""
    one = command("mail", _mail, "案内の署名を確かめるために相手に渡すものを示します", alone=True)
    one.add_argument("what", choices=["dns", "webhook"], help="dns: DNSに書くレコード。webhook: 受け取る側の鍵")
    one.add_argument("address", nargs="?", default="", help="webhook のとき、staff.csv の「連絡先」のアドレス")


def _mail(options: argparse.Namespace, settings: Settings) -> int:
    if options.what == "dns":
        return _dns(settings)
    if not options.address:
        print("webhook の後に、staff.csv の「連絡先」のアドレスを書いてください。", file=sys.stderr)
        return 2
    try:
        print(webhook_secret(webhook_key(settings.webhook_key, options.address)))
    except FileNotFoundError:
        print(NO_KEY, file=sys.stderr)
        return 1
    return 0


def _dns(settings: Settings) -> int:
    """The one record that is ours. SPF and DMARC name hosts and wishes that only the city knows."""
    path = settings.dkim_key.with_name(f"{settings.dkim_key.name}.pub")
    try:
        record = path.read_text("ascii")
    except FileNotFoundError:
        print(NO_KEY, file=sys.stderr)
        return 1
    domain = read_profile(settings.profile).office_mail.rpartition("@")[2]
    print(f"; 案内メールの差出人 {domain} のDNSに、次のTXTレコードを加えてください(255字ごとに区切ってあります)。")
    parts = " ".join(f'"{record[at : at + 255]}"' for at in range(0, len(record), 255))
    print(f"{settings.dkim_selector}._domainkey.{domain}. IN TXT ( {parts} )")
    return 0
