"""Without a shared disk: all files in an S3 of this machine, and jobs on nodes that have nothing but the workflow."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from pandas.testing import assert_frame_equal

from other_classes import CONFIG, tweets
from project import copy_project, snakemake

BUCKET = "texts"
ASKED = ["results/mine-s1/metrics.json", "reports/mine-s1/performance.html"]
# a node: an empty folder, into which the workflow is put; the job has ended when this answers
NODE = """#!/bin/sh -e
node=$(mktemp -d -p "{nodes}")
git clone --quiet "{project}" "$node"
cd "$node"
sh "$1" > said.txt 2>&1
echo 1
"""
NODES = ["--executor", "cluster-generic", "--cluster-generic-submit-cmd", "sh node.sh", "--jobs", "1"]
NODES += ["--cluster-generic-status-cmd", "echo success #", "--seconds-between-status-checks", "1"]


@pytest.fixture(scope="module")
def s3() -> Iterator:
    """An S3 on this machine with an empty bucket."""
    for needed in ("snakemake_storage_plugin_s3", "snakemake_executor_plugin_cluster_generic"):
        pytest.importorskip(needed, reason="needs `pip install -e '.[storage]'`")
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


def in_storage(prefix: str) -> list[str]:
    places = ["--default-storage-provider", "s3", "--default-storage-prefix", f"s3://{BUCKET}/{prefix}"]
    return [*places, "--shared-fs-usage", "none"]


def committed(folder: Path) -> Path:
    """Put a project into a repository, but for texts and models: that is what Snakemake brings to nodes."""
    (folder / ".gitignore").write_text(".snakemake/\n__pycache__/\nmine.csv\nlanguage/\n")
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "All of it"]):
        subprocess.run(["git", "-C", folder, *who, *command], check=True)
    return folder


def with_own_texts(project: Path) -> Path:
    tweets(["calm", "angry"], 600).to_csv(project / "mine.csv", index=False)
    (project / "mine.yaml").write_text(CONFIG % "calm, angry")
    return project


def downloaded(bucket, prefix: str, folder: Path) -> Path:
    """All that lies in the storage below a prefix."""
    for item in bucket.objects.filter(Prefix=f"{prefix}/"):
        place = folder / item.key.removeprefix(f"{prefix}/")
        place.parent.mkdir(parents=True, exist_ok=True)
        bucket.download_file(item.key, str(place))
    return folder


def assert_same_pages(there: Path, here: Path) -> None:
    """The same titles, links and names of files on all pages of a folder."""
    pages = sorted(here.rglob("*.html"))
    assert pages and sorted(path.relative_to(there) for path in there.rglob("*.html")) == [
        path.relative_to(here) for path in pages
    ]
    for page in pages:
        text = (there / page.relative_to(here)).read_text(encoding="utf-8")
        one, other = (BeautifulSoup(each, "html.parser") for each in (text, page.read_text(encoding="utf-8")))
        assert ".snakemake/storage" not in one.get_text(), page
        for soup in (one, other):
            assert soup.h1
        assert [(a.get_text(), a.get("href")) for a in one.select("nav a, .cards a")] == [
            (a.get_text(), a.get("href")) for a in other.select("nav a, .cards a")
        ], page


@pytest.mark.slow
def test_nodes_that_share_no_disk_make_what_one_machine_makes(s3, tmp_path):
    project = committed(with_own_texts(copy_project(tmp_path / "project")))
    nodes = tmp_path / "nodes"
    nodes.mkdir()
    (project / "node.sh").write_text(NODE.format(nodes=nodes, project=project))
    found = snakemake(project, *ASKED, *NODES, *in_storage("nodes"), config="mine.yaml", warm=False)
    assert found.returncode == 0, found.stdout
    ran = [folder for folder in nodes.iterdir() if (folder / "said.txt").exists()]
    assert len(ran) >= 3, "training, exactness and prediction"
    assert not list(nodes.glob("*/mine.csv")), "texts stay where Snakemake runs"
    assert not (project / "results").exists(), "nothing was made on the disk of this machine"

    local = with_own_texts(copy_project(tmp_path / "local"))
    assert snakemake(local, *ASKED, config="mine.yaml").returncode == 0
    there = downloaded(s3, "nodes", tmp_path / "there")
    for name in ("results/mine-s1/model/model.safetensors", ASKED[0]):
        assert (there / name).read_bytes() == (local / name).read_bytes(), name
    assert_same_pages(there / "reports", local / "reports")


@pytest.mark.slow
def test_the_profile_for_kubernetes_plans_jobs_that_get_what_rules_ask_for(s3, tmp_path):
    pytest.importorskip("snakemake_executor_plugin_kubernetes", reason="needs `pip install -e '.[kubernetes]'`")
    project = committed(with_own_texts(copy_project(tmp_path / "project")))
    profile = ["--workflow-profile", "profiles/kubernetes", "--default-storage-prefix", f"s3://{BUCKET}/planned"]
    found = snakemake(project, "masking", "--dry-run", *profile, config="mine.yaml")
    assert found.returncode == 0, found.stdout
    jobs = {job.split(":")[0].strip(): job for job in re.split(r"^(?:local)?rule ", found.stdout, flags=re.M)[1:]}
    training = jobs["finetune"]
    for wanted in ("gpu=1", "gpu_manufacturer=nvidia", "scale=0", "mem_mb=8000", "disk_mb=20000"):
        assert wanted in training, training
    assert "s3://texts/planned/results/mine-s1/model" in training
    assert "code" not in training and "gpu=" not in jobs["split_corpus"]


@pytest.mark.release
def test_everything_is_made_through_a_storage(s3, finished, tmp_path):
    project = committed(copy_project(tmp_path / "project"))
    found = snakemake(project, "all", *in_storage("all"))
    assert found.returncode == 0, found.stdout
    assert not (project / "results").exists() and not list((project / "reports").iterdir())
    there = downloaded(s3, "all", tmp_path / "there")
    tables = sorted(path.relative_to(finished) for path in finished.glob("results/**/*.parquet"))
    assert len(tables) > 50
    for name in tables:
        assert_frame_equal(pd.read_parquet(there / name), pd.read_parquet(finished / name), obj=str(name))
    assert_same_pages(there / "reports", finished / "reports")
    for record in finished.glob("results/**/provenance.json"):
        one, other = (json.loads((place / record.relative_to(finished)).read_text()) for place in (there, finished))
        assert list(one["inputs"]) == list(other["inputs"]) and list(one["results"]) == list(other["results"])
    again = snakemake(project, "all", "--dry-run", *in_storage("all"))
    assert "Nothing to be done" in again.stdout, again.stdout
