# emoscope with all that it needs, from the lock; docs/set-ups.md says how to build and run it.
FROM python:3.11-slim-bookworm

# torch for processors alone is a tenth in size; for GPUs: --build-arg TORCH_INDEX=https://pypi.org/simple
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
WORKDIR /emoscope
COPY envs/requirements.lock envs/
RUN pip install --no-cache-dir --extra-index-url "$TORCH_INDEX" -r envs/requirements.lock

COPY pyproject.toml README.md LICENSE Snakefile config.yaml ./
COPY data/reference data/reference
COPY data/lexicons data/lexicons
COPY envs envs
COPY profiles profiles
COPY workflow workflow
RUN pip install --no-cache-dir --no-deps -e .

# whoever runs it, with --user, has neither a name nor a home in here
ENV HOME=/tmp USER=emoscope
WORKDIR /study
ENTRYPOINT ["snakemake", "--snakefile", "/emoscope/Snakefile"]
CMD ["--cores", "2", "all"]
