"""Without a shared disk: what is planned, and what becomes of the tiny run, with all files in an S3 of this machine."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from other_classes import CONFIG, tweets
from project import copy_project, snakemake
from repositories import committed

BUCKET = "texts"


@pytest.fixture(scope="module")
def s3() -> Iterator:
    """An S3 on this machine with an empty bucket."""
    pytest.importorskip("snakemake_storage_plugin_s3", reason="needs `pip install -e '.[storage]'`")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        import boto3

        place = "http://{}:{}".format(*server.get_host_and_port())
        keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
        bucket = boto3.resource("s3", endpoint_url=place, **keys).create_bucket(Bucket=BUCKET)
        with pytest.MonkeyPatch.context() as environment:
            for name, value in (("ENDPOINT_URL", place), ("ACCESS_KEY", "a"), ("SECRET_KEY", "b")):
                environment.setenv(f"SNAKEMAKE_STORAGE_S3_{name}", value)
            yield bucket
    finally:
        server.stop()


def with_own_texts(project: Path) -> Path:
    tweets(["calm", "angry"], 600).to_csv(project / "mine.csv", index=False)
    (project / "mine.yaml").write_text(CONFIG % "calm, angry")
    return project


@pytest.mark.slow
def test_the_profile_for_kubernetes_plans_jobs_that_get_what_rules_ask_for(s3, tmp_path):
    pytest.importorskip("snakemake_executor_plugin_kubernetes", reason="needs `pip install -e '.[kubernetes]'`")
    project = with_own_texts(copy_project(tmp_path / "project"))
    (project / ".gitignore").write_text(".snakemake/\n__pycache__/\nmine.csv\nlanguage/\n")
    committed(project)  # what git knows is what Snakemake brings to nodes
    profile = ["--workflow-profile", "profiles/kubernetes", "--default-storage-prefix", f"s3://{BUCKET}/planned"]
    found = snakemake(project, "masking", "--dry-run", *profile, config="mine.yaml")
    assert found.returncode == 0, found.stdout
    jobs = {job.split(":")[0].strip(): job for job in re.split(r"^(?:local)?rule ", found.stdout, flags=re.M)[1:]}
    training = jobs["finetune"]
    for wanted in ("gpu=1", "gpu_manufacturer=nvidia", "scale=0", "mem_mb=8000", "disk_mb=20000"):
        assert wanted in training, training
    assert "s3://texts/planned/results/mine-s1/model" in training
    assert "code" not in training and "gpu=" not in jobs["split_corpus"]


NODE = """\
#!/bin/sh
# A node of its own for one job: an empty folder, which is all that it knows of this machine's disk.
node=$(mktemp -d {nodes}/XXXXXX)
cd "$node" && env HOME="$node" sh "$1" > said.txt 2>&1 && echo success > ended || echo failed > ended
echo "$node"
"""


@pytest.mark.release
def test_jobs_on_nodes_that_share_no_disk_get_and_give_all_through_the_storage(s3, tmp_path):
    """From the user's texts, which no node has, to the page on masking."""
    pytest.importorskip("snakemake_executor_plugin_cluster_generic", reason="needs `pip install -e '.[storage]'`")
    project = with_own_texts(copy_project(tmp_path / "project"))
    (project / ".gitignore").write_text(".snakemake/\n__pycache__/\nmine.csv\nlanguage/\n")
    committed(project)
    (nodes := tmp_path / "nodes").mkdir()
    (submit := tmp_path / "submit").write_text(NODE.format(nodes=nodes))
    storage = ["--default-storage-provider", "s3", "--default-storage-prefix", f"s3://{BUCKET}/nodes"]
    cluster = ["--executor", "cluster-generic", "--jobs", "2", "--job-deploy-sources"]
    cluster += ["--cluster-generic-submit-cmd", f"sh {submit}", "--cluster-generic-status-cmd", "sh -c 'cat $0/ended'"]
    found = snakemake(project, "masking", *storage, *cluster, "--shared-fs-usage", "none", config="mine.yaml")
    said = "\n".join(path.read_text() for path in nodes.glob("*/said.txt"))
    assert found.returncode == 0, found.stdout + said
    made = {object.key.removeprefix("nodes/") for object in s3.objects.filter(Prefix="nodes/")}
    assert {"results/mine-s1/masking/summary.parquet", "reports/mine-s1/masking.html"} <= made
    assert "rule finetune" in said and "rule mask_block" in said and "import_corpus" not in said
    assert not (project / "results").exists() and not (project / "data" / "corpora").exists()


@pytest.mark.release
def test_the_whole_tiny_run_through_a_storage_finds_what_it_finds_on_a_disk(s3, finished, tmp_path):
    """All of it, since any rule may name a file by where it lies; nothing is left on the disk; tables are the same."""
    project = copy_project(tmp_path / "project")
    storage = ["--default-storage-provider", "s3", "--default-storage-prefix", f"s3://{BUCKET}/tiny"]
    found = snakemake(project, "all", *storage, "--shared-fs-usage", "none")
    assert found.returncode == 0, found.stdout
    assert not any((project / folder).exists() for folder in ("results", "data/corpora", "data/models"))
    assert not [*(project / "reports").iterdir()]
    made = {object.key.removeprefix("tiny/"): object for object in s3.objects.filter(Prefix="tiny/")}
    tables = sorted((finished / "results").rglob("*.csv"))
    assert len(tables) > 20
    for path in tables:
        there = made[str(path.relative_to(finished))].get()["Body"].read()
        assert there == path.read_bytes(), path
    pages = {str(path.relative_to(finished)) for path in (finished / "reports").rglob("*.html")}
    assert pages == {name for name in made if name.startswith("reports/") and name.endswith(".html")}
    for page in pages:
        text = made[page].get()["Body"].read().decode()
        assert ".snakemake/storage" not in text and f"s3://{BUCKET}" not in text, page
