# make demo   set up and read the sample capture       make test   install what tests need, run them
# make lint   types and style                          make bench  speed and memory against peers
# make bench-live   a live sensor at a mirror port, beside tcpdump and scapy; LIVE='flood' measures a part
# make bench-scan   scans, beside nmap and masscan; SCAN='office' measures a part
# make lab    labelled captures of many programs and servers, into LAB=folder (or a temporary one)
# make calibrate LAB=folder   what such captures say of constants, and how right claims are
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint bench bench-live bench-scan lab calibrate clean

$(VENV)/installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

demo: $(VENV)/installed
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh captures/demo.sh

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/mypy

test: $(VENV)/installed-dev
	sh tests/install-system-packages.sh
	sh tests/unpack-packages.sh $(VENV)/unpacked exim4-daemon-light opensmtpd
	$(BIN)/python -m pytest

bench: $(VENV)/installed-dev
	sh tests/install-system-packages.sh libndpi-bin
	$(BIN)/python -m benchmarks.run

bench-live: $(VENV)/installed-dev
	sh tests/install-system-packages.sh tcpreplay
	$(BIN)/python -m benchmarks.live $(LIVE)

bench-scan: $(VENV)/installed-dev
	sh tests/install-system-packages.sh nmap masscan
	$(BIN)/python -m benchmarks.scanned $(SCAN)

lab: $(VENV)/installed-dev
	sh tests/install-lab-tools.sh $(VENV)/lab
	LAB_TOOLS=$(CURDIR)/$(VENV)/lab $(BIN)/python tests/lab/run_imitation.py $(LAB)

calibrate: $(VENV)/installed-dev
	@$(BIN)/python -m benchmarks.calibrate $(LAB)

clean:
	rm -rf $(VENV) build *.egg-info
