"""The scripted agent of the demo writes the files of its solution, and nothing that an installer left beside them."""

import compileall
import shutil
import subprocess
import sys
from pathlib import Path

import locus.local.demo

DEMO = Path(locus.local.demo.__file__).parent


def test_what_an_installer_compiled_is_no_part_of_a_solution(tmp_path: Path) -> None:
    installed, tree = tmp_path / "installed", tmp_path / "tree"
    shutil.copytree(DEMO, installed)
    tree.mkdir()
    assert compileall.compile_dir(installed, quiet=1)
    assert list(installed.glob("solutions/**/__pycache__/*.pyc"))

    subprocess.run(
        [sys.executable, str(installed / "agent.py")], cwd=tree, input="[demo:receipt]", text=True, check=True
    )

    written = [str(path.relative_to(tree)) for path in sorted(tree.rglob("*")) if path.is_file()]
    assert written == ["invoices/receipt.py"]
