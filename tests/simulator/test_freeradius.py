"""The NAS against Debian's FreeRADIUS, which demands a Message-Authenticator: an implementation that is not ours."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hotspot.values import MacAddress
from simulator.browser import Browser
from simulator.nas import Nas

CONFIGURATION = """
name = freeradius
confdir = {folder}
raddbdir = {folder}
logdir = {folder}
run_dir = {folder}
pidfile = {folder}/pid
correct_escapes = true
max_requests = 1024
log {{ destination = stdout }}
security {{ allow_core_dumps = no }}
modules {{
  pap {{ }}
  chap {{ }}
  detail {{
    filename = {folder}/detail
  }}
}}
client nas {{
  ipaddr = 127.0.0.1
  secret = {secret}
  require_message_authenticator = yes
}}
server default {{
  listen {{
    type = auth
    ipaddr = 127.0.0.1
    port = {auth}
  }}
  listen {{
    type = acct
    ipaddr = 127.0.0.1
    port = {acct}
  }}
  authorize {{
    if (&Service-Type == Call-Check) {{
      update control {{
        &Cleartext-Password := "%{{Calling-Station-Id}}"
      }}
    }} else {{
      update control {{
        &Cleartext-Password := "ostsee1"
      }}
    }}
    update reply {{  # 3.2.1 does not yet sign its replies by itself
      &Message-Authenticator := 0x00
      &Session-Timeout := 600
      &WISPr-Bandwidth-Max-Down := 8000000
      &Class := 0x6b6f676765
    }}
    chap
    pap
  }}
  authenticate {{
    Auth-Type PAP {{
      pap
    }}
    Auth-Type CHAP {{
      chap
    }}
  }}
  accounting {{
    detail
  }}
}}
"""


@asynccontextmanager
async def freeradius(scene: Any, folder: Path) -> AsyncIterator[None]:
    nas = scene.nas
    text = CONFIGURATION.format(folder=folder, secret=nas.secret, auth=nas.auth_port, acct=nas.acct_port)
    (folder / "radiusd.conf").write_text(text)
    program = shutil.which("freeradius")
    assert program is not None
    process = await asyncio.create_subprocess_exec(
        program, "-f", "-n", "radiusd", "-d", folder, "-l", "stdout", stdout=-1
    )
    assert process.stdout is not None
    try:
        said = b""
        while b"Ready to process requests" not in said:
            line = await asyncio.wait_for(process.stdout.readline(), 20)
            assert line, said.decode()
            said += line
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


@pytest.mark.tool("freeradius")
def test_chap_mac_authentication_and_accounting(make_scene: Callable[..., Any], tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = make_scene()
        await scene.portal.start()
        async with freeradius(scene, tmp_path):
            nas = Nas(scene.nas, scene.portal_url, random.Random(1))
            await nas.start()
            browser = Browser()
            form = (await browser.get(f"http://{scene.nas.listen}/walk-up")).form("accept")
            assert form is not None
            assert "res=success" in (await browser.submit(form, accept="yes")).url
            session = nas.session(MacAddress.parse(browser.cookies[scene.nas.listen]["device"]))
            assert session is not None and session.classes == (b"kogge",)
            assert (session.limits.session_seconds, session.limits.rate_down_bps) == (600, 8_000_000)
            assert (await nas.walk_up(MacAddress.parse("02-00-5E-10-00-0A"))).online
            url = f"http://{scene.nas.listen}/logon?username=u&response={'00' * 16}"
            assert "reason=reject" in (await _arrived(url, scene)).url
            await nas.close()
        await scene.portal.close()
        detail = (tmp_path / "detail").read_text()
        kinds = [line.split(" = ")[1] for line in detail.splitlines() if "Acct-Status-Type" in line]
        assert kinds == ["Accounting-On", "Start", "Start", "Stop", "Stop", "Accounting-Off"]
        assert detail.count("Class = 0x6b6f676765") == 4

    asyncio.run(scenario())


async def _arrived(url: str, scene: Any) -> Any:
    browser = Browser()
    await browser.get(f"http://{scene.nas.listen}/walk-up")
    return await browser.get(url)
