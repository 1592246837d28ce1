"""Real servers as the lab runs them: started before the programs play, stopped after."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

from imitation import network
from imitation.cast import KEY
from imitation.persona import Persona
from imitation.products import NAMESPACE, plug_in
from imitation.program import TOOLS
from imitation.session import Session


class Products:
    """Real servers, in a process and a network of their own."""

    def __init__(self, personas: Sequence[Persona], sessions: Sequence[Session]) -> None:
        """Start them, with the passwords that the sessions want. Raises RuntimeError if one fails."""
        plug_in()
        self._folder = network.FOLDER / "products"
        self._folder.mkdir(mode=0o755)
        wanted = {persona.name for persona in personas if persona.product}
        users = {
            session.user: "not" + session.secret if session.refusal else session.secret
            for session in sessions
            if session.server in wanted
        }
        inside = ["nsenter", f"--net=/run/netns/{NAMESPACE}", "--"]
        words = [*inside, sys.executable, "-m", "imitation.products", str(self._folder), str(TOOLS)]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(
            json.dumps({"users": users, "key": KEY.hex(), "products": sorted(wanted)}) + "\n"
        )
        self._process.stdin.flush()
        found = json.loads(self._process.stdout.readline() or "[]")
        if absent := wanted - set(found):
            raise RuntimeError(f"not started: {' '.join(absent)}\n{self.stop()}")

    def stop(self) -> str:
        """Stop them, and give what they said."""
        self._process.communicate()
        return (self._folder / "said.txt").read_text()
