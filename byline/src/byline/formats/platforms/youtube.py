"""YouTube: eleven characters name a video; its still pictures stand in many web crawls."""

from __future__ import annotations

from byline.formats.platforms.rules import Platform, Rule

_ID = r"(?P<photo>[A-Za-z0-9_-]{11})"
_END = r"(?:[/?&].*)?$"

PLATFORM = Platform(
    name="youtube",
    title="YouTube",
    domains=("youtube.com", "youtu.be", "ytimg.com", "img.youtube.com", "youtube-nocookie.com"),
    hosts=r"(?:(?:www|m|music)\.)?youtube(?:-nocookie)?\.com",
    rules=(
        Rule(
            r"^/+(?:vi|vi_webp|an_webp)/+" + _ID + r"/.*$",
            host=r"(?:i[0-9]*|s)\.ytimg\.com|(?:img|i[0-9]*)\.youtube\.com",
        ),
        Rule(r"^/+watch\?(?:.*&)?v=" + _ID + r"(?:&.*)?$"),
        Rule(r"^/+(?:embed|v|shorts|live)/+" + _ID + _END),
        Rule(r"^/+" + _ID + _END, host=r"(?:www\.)?youtu\.be"),
        Rule(r"^/+channel/+(?P<number>UC[A-Za-z0-9_-]{22})" + _END),
        Rule(r"^/+(?:@|%40)(?P<alias>[A-Za-z0-9_.-]{3,30})" + _END),
    ),
    photo=r"^[A-Za-z0-9_-]{11}$",
    number=r"^UC[A-Za-z0-9_-]{22}$",
    alias=r"^[a-z0-9_.-]{3,30}$",
    sigil="@",
    profile="https://www.youtube.com/@{}",
    photo_page="https://www.youtube.com/watch?v={}",
    proof="Put the line into your channel's description.",
)
