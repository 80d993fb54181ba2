"""An empty form as one HTML page to print on A4 and fill in by hand: no script, nothing from outside the file.

Each field is a row of a table whose header cell is its label; what must be filled in says so in words, not by colour.
"""

from jinja2 import Environment, StrictUndefined

from contracts.era import ERAS
from contracts.forms import FieldType, Form, FormField, When

BLANK_ROWS = 5
"""Empty rows of a table on paper; more go on a second sheet."""
_ERAS = tuple(era.name for era in ERAS if era.name != "明治")
"""The 元号 of people alive: 大正 on, as the 様式(案) lists them (domain.md 2.1)."""

_TEMPLATE = """\
<!DOCTYPE html>
<html lang="ja">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{ form.title }}</title>
<style>
@page { size: A4 portrait; margin: 15mm; }
* { box-sizing: border-box; }
body { max-width: 180mm; margin: 0 auto; color: #000; background: #fff; font-size: 10.5pt; line-height: 1.5;
  font-family: "BIZ UDPGothic", "Yu Gothic UI", Meiryo, "Hiragino Sans", "Noto Sans CJK JP", sans-serif; }
h1 { font-size: 16pt; margin: 0 0 4mm; }
h2 { font-size: 12pt; margin: 6mm 0 2mm; break-after: avoid; }
table { width: 100%; border-collapse: collapse; }
th, td { border: 0.3mm solid #000; padding: 1.5mm 2mm; text-align: left; vertical-align: top; }
tr { break-inside: avoid; }
table.fields > tbody > tr > th { width: 50mm; font-weight: normal; }
td table td { height: 9mm; }
.line { height: 9mm; }
.space { height: 36mm; }
.must { border: 0.3mm solid #000; padding: 0 1mm; font-size: 8.5pt; }
.note { margin: 0 0 2mm; font-size: 9pt; }
td .note { margin: 1mm 0 0; }
.box { display: inline-block; margin-right: 4mm; }
footer { margin-top: 6mm; font-size: 8.5pt; }
</style>
</head>
<body>
<main>
<h1>{{ form.title }}</h1>
<p class="note">「必須」の欄は必ず書いてください。個人番号(マイナンバー)は書かないでください。</p>
{% for section in form.sections %}
<section aria-labelledby="s-{{ section.id }}">
<h2 id="s-{{ section.id }}">{{ section.title }}</h2>
{% if section.note %}
<p class="note">{{ section.note }}</p>
{% endif %}
<table class="fields" aria-labelledby="s-{{ section.id }}">
<tbody>
{% for field in section.fields %}
<tr>
<th scope="row">{{ numbers[field.id] }}. <span class="label">{{ field.label }}</span>
{% if field.required %}
<span class="must">必須</span>
{% endif %}
</th>
<td>
{% if field.columns %}
<table>
<thead><tr>{% for column in field.columns %}<th scope="col">{{ column.label }}</th>{% endfor %}</tr></thead>
<tbody>
{% for _ in range(blank_rows) %}
<tr>{% for column in field.columns %}<td></td>{% endfor %}</tr>
{% endfor %}
</tbody>
</table>
{% else %}
{% for text in boxes(field) %}
<span class="box">□ {{ text }}</span>
{% endfor %}
<div class="{{ 'space' if field.type == 'long_text' else 'line' }}">{{ pattern(field) }}</div>
{% endif %}
{% for text in notes(field) %}
<p class="note">{{ text }}</p>
{% endfor %}
</td>
</tr>
{% endfor %}
</tbody>
</table>
</section>
{% endfor %}
</main>
<footer><p>{{ office }} 様式 {{ form.id }} 第{{ form.edition }}版({{ form.effective_from }} から)</p></footer>
</body>
</html>
"""
_templates = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def blank_page(form: Form, office: str) -> str:
    """The page. ``office`` is the municipality's name; everything shown is escaped."""
    numbers = {field.id: number for number, field in enumerate(form.fields, 1)}

    def notes(field: FormField) -> list[str]:
        found = [field.note] if field.note else []
        if field.required_when:
            found.append(_condition(form, field.required_when, numbers))
        return found

    return _templates.from_string(_TEMPLATE).render(
        form=form, office=office, numbers=numbers, boxes=_boxes, pattern=_pattern, notes=notes, blank_rows=BLANK_ROWS
    )


def _condition(form: Form, when: When, numbers: dict[str, int]) -> str:
    """When a field has to be filled in, by the other field's number: a label stands on the page once."""
    other = next(field for field in form.fields if field.id == when.field)
    place = f"項目{numbers[when.field]}"
    if when.among:
        chosen = "か".join(f"「{choice.label}」" for choice in other.codes if choice.code in when.among)
        return f"{place}で{chosen}を選んだときは、必ず書いてください。"
    if other.type is FieldType.FLAG:
        return f"{place}が「はい」のときは、必ず書いてください。"
    return f"{place}に書いたときは、必ず書いてください。"


def _boxes(field: FormField) -> tuple[str, ...]:
    if field.type is FieldType.FLAG:
        return ("はい", "いいえ")
    if field.type is FieldType.ERA_DATE:
        return _ERAS
    return tuple(choice.label for choice in field.codes)


def _pattern(field: FormField) -> str:
    if field.type in (FieldType.DATE, FieldType.ERA_DATE):
        return "\u3000\u3000\u3000年\u3000\u3000月\u3000\u3000日"
    return ""
