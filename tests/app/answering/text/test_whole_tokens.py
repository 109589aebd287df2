"""What a short answer holds whole: neither more nor less than a reader would."""

import pytest

from app.answering.text.whole_tokens import whole_tokens

CASES = [
    ("The minimum is -5 °C, the maximum 5 °C.", ["-5 °C", "5 °C"]),
    ("It is −459.67 °F there.", ["−459.67 °F"]),
    ("52.4% said yes and 47.6 % said no.", ["52.4%", "47.6 %"]),
    ("It costs $5 million, or £ 4.20.", ["$5", "£ 4.20"]),
    ("The Rhine is 1,230 km long.", ["1,230"]),
    ("at 10:30 p.m.", ["10:30", "p.m"]),
    ("Set --web.enable-otlp-receiver to true.", ["--web.enable-otlp-receiver"]),
    ("pip install --user -r requirements.txt", ["--user", "-r", "requirements.txt"]),
    ("It lies in /etc/app/settings.yaml or ~/.config/pip.", ["/etc/app/settings.yaml", "~/.config/pip"]),
    (r"Open C:\Users\me first.", [r"C:\Users\me"]),
    ("See https://example.org/a/b?x=1.", ["https://example.org/a/b?x=1"]),
    ("Write to a.b@example.org!", ["a.b@example.org"]),
    ("C++ and C# and .NET 4.5.1", ["C++", "C#", ".NET", "4.5.1"]),
    ("Take python3.11 and v2.1.0-rc1.", ["python3.11", "v2.1.0-rc1"]),
    ("foo::bar calls obj.method() of my_var", ["foo::bar", "obj.method()", "my_var"]),
    ("in the U.S. army", ["U.S"]),
    ("a range of 10-20 km", ["10", "20"]),
    ("born 1990-1995 in a New York-based firm", ["1990", "1995"]),
    ("he and/or she, either way - all of it", []),
]


@pytest.mark.parametrize(("text", "whole"), CASES)
def test_what_is_whole(text, whole):
    assert [span.of(text) for span in whole_tokens(text)] == whole


@pytest.mark.parametrize("unit", ["-", "a.", "/a", "1,", "$", ".", "a@", "::", "C:\\", "--a=", "\ud7ff°"])
def test_the_time_grows_with_the_length_alone(unit):
    whole_tokens(unit * 100_000)  # quadratic, it would take minutes
