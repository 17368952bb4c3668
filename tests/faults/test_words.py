"""The last words of an agent: what it says at its end is in nothing that the server keeps."""

from pathlib import Path

from tests.support.server import RunningServer
from tests.support.workshop import workshop

WORD = "quoxotic-parser"


async def test_the_last_words_of_an_agent_are_in_no_row_of_its_attempt(server: RunningServer, tmp_path: Path) -> None:
    async with workshop(server, tmp_path / "shop") as shop:
        task = await shop.task("Write one")
        agent = shop.agent(f"pathlib.Path('one.txt').write_text('one'); print('In short: see {WORD}', flush=True)")
        await shop.run(agent)

        rows = await server.pool.fetch("SELECT a::text FROM attempts a WHERE task_id = $1", task.id)
        said = "".join(row["a"] for row in rows)
        transcripts = list(shop.state.rglob("transcript.jsonl"))
        assert WORD in transcripts[0].read_text(), "it has said it"
        assert len(rows) == 1 and "completed" in said
        assert WORD not in said
