"""A real Slurm of one machine: Debian's packages, three daemons as children of this process, and no accounting."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PACKAGES = ["munge", "slurm-client", "slurmctld", "slurmd"]
SETTINGS = Path("/etc/slurm")  # the place built into Slurm: inside a job the plugin clears SLURM_CONF
HOST = socket.gethostname().partition(".")[0]
MARK = "# a Slurm for tests; goes with them"
GPUS = ["/dev/null", "/dev/zero"]  # Slurm takes any devices for GPUs

SLURM_CONF = """{mark}
ClusterName=test
SlurmctldHost={host}({address})
NodeName=node NodeHostname={host} NodeAddr={address} CPUs=4 RealMemory=64000 Gres=gpu:{gpus}
PartitionName=main Nodes=node Default=YES
PartitionName=gpu Nodes=node
GresTypes=gpu
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
# the machine may have fewer cores and less memory than the node claims
SlurmdParameters=config_overrides
# listen on this address alone
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthInfo=socket={state}/munge.socket
SlurmUser=root
StateSaveLocation={state}/ctld
SlurmdSpoolDir={state}/spool
SlurmctldPidFile={state}/slurmctld.pid
SlurmdPidFile={state}/slurmd.pid
SlurmctldLogFile={state}/slurmctld.log
SlurmdLogFile={state}/slurmd.log
# neither cgroups nor systemd
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
# finished jobs keep their records; failed ones are Snakemake's business
MinJobAge=3600
JobRequeue=0
ReturnToService=2
KillWait=2
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0
"""


def why_not() -> str | None:
    """Why no Slurm can be started here, or None."""
    if os.geteuid() != 0:
        return "only root can install and start Slurm"
    if not shutil.which("apt-get"):
        return "no apt-get to install Slurm with"
    if (SETTINGS / "slurm.conf").exists() and MARK not in (SETTINGS / "slurm.conf").read_text():
        return f"{SETTINGS} configures a Slurm that is not the tests'"
    try:
        socket.gethostbyname(HOST)
    except OSError:
        return f"the name of this machine, {HOST}, does not resolve"
    return None


def install() -> None:
    """Install Slurm unless it is there."""
    if not shutil.which("slurmctld") or not shutil.which("slurmd"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=True, env=environment)
        command = ["apt-get", "install", "-qq", "--no-install-recommends", *PACKAGES]
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)


@contextmanager
def slurm(state: Path) -> Iterator[None]:
    """Run Slurm with a node of four CPUs and two GPUs, its state in the folder `state`, until the block ends."""
    conf = SLURM_CONF.format(mark=MARK, host=HOST, address=socket.gethostbyname(HOST), state=state, gpus=len(GPUS))
    gres = "".join(f"NodeName=node Name=gpu File={device}\n" for device in GPUS)
    for folder in (SETTINGS, state / "ctld", state / "spool"):
        folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        for name, text in (("slurm.conf", conf), ("gres.conf", f"{MARK}\n{gres}")):
            (SETTINGS / name).write_text(text)
            stack.callback((SETTINGS / name).unlink)
        munge = [f"--{kind}-file={state}/munge.{kind}" for kind in ("key", "pid", "seed")]
        (state / "munge.key").write_bytes(os.urandom(128))
        (state / "munge.key").chmod(0o600)
        stack.enter_context(daemon("munged", "--foreground", "--force", f"--socket={state}/munge.socket", *munge))
        wait_for((state / "munge.socket").exists)
        stack.enter_context(daemon("slurmctld", "-D", "-c"))
        wait_for(lambda: answer("scontrol", "ping").returncode == 0)
        stack.enter_context(daemon("slurmd", "-D", "-c", "-N", "node"))
        wait_for(lambda: set(answer("sinfo", "--noheader", "--format=%T").stdout.split()) == {"idle"})
        try:
            yield
        finally:  # jobs would outlive the daemons
            answer("scancel", "--user=root")
            wait_for(lambda: not answer("squeue", "--noheader").stdout)


@contextmanager
def daemon(*command: str) -> Iterator[None]:
    """Run a server until the block ends."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def answer(*command: str) -> subprocess.CompletedProcess:
    """What one of Slurm's commands says."""
    return subprocess.run(command, capture_output=True, text=True)


def wait_for(happened: Callable[[], bool]) -> None:
    """Wait until something is true; TimeoutError after half a minute."""
    end = time.monotonic() + 30
    while not happened():
        if time.monotonic() > end:
            raise TimeoutError("Slurm neither starts nor stops; its logs lie in the state folder")
        time.sleep(0.2)


def jobs() -> list[dict[str, str]]:
    """The records of all jobs since the start, as `scontrol show job` has them, in the order of submission."""
    records = answer("scontrol", "--oneliner", "show", "job").stdout.splitlines()
    return [dict(re.findall(r"(\S+?)=(\S*)", record)) for record in records if record.startswith("JobId=")]
