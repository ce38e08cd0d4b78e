# nnlua: settings first, then the files, then the targets. `make help` lists the targets.

# --- Settings: each can be given on the command line, as in `make BUILD=out CC=clang` -----------
BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
OPT     ?= -O2 -g
CFLAGS  ?=
LDFLAGS ?=
# SAN=1 builds with AddressSanitizer and UndefinedBehaviorSanitizer, in a folder of its own.
SAN     ?=
# V=1 shows the commands.
V       ?=
# What `make test` runs (a file or folder; TESTFLAGS are Busted's), what `make conformance` reads,
# and the seconds that `make fuzz` gives each fuzzer.
SPEC    ?= spec
CASES   ?= ../shared/conformance
FUZZ_SECONDS ?= 20
# How often `make crash` trains with interruptions, how many files `make mutate` breaks.
RUNS    ?= 1000
TESTFLAGS ?=
# Where bench-peers writes its .json and .md.
RESULTS ?= bench/results/$(shell date +%F)-$(shell bench/cpu.sh)
# Compiler processes at a time, for demo, test and the like.
JOBS    ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
# BOOTSTRAP=0: `make demo` and `make test` install nothing.
BOOTSTRAP ?= 1
SETTINGS := BUILD PREFIX DESTDIR CC CFLAGS LDFLAGS OPT SAN V SPEC TESTFLAGS CASES FUZZ_SECONDS \
            JOBS BOOTSTRAP \
            LUA_PC

ifeq ($(SAN),fuzz)
  OUT := $(BUILD)/fuzz
  OPT := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
else ifneq ($(SAN),)
  OUT := $(BUILD)/san
  OPT := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
         -fno-sanitize-recover=undefined
else
  OUT := $(BUILD)
endif

comma := ,

# --- Lua 5.4: the static library where there is one (starting is then a millisecond) ------------
LUA_PC     ?= $(shell tools/bootstrap.sh find-lua)
LUA_CFLAGS ?= $(if $(LUA_PC),$(shell pkg-config --cflags $(LUA_PC)),-I/usr/include/lua5.4)
LUA_DIR    := $(if $(LUA_PC),$(shell pkg-config --variable=libdir $(LUA_PC)))
LUA_STATIC := $(firstword $(wildcard $(LUA_DIR)/liblua5.4.a $(LUA_DIR)/liblua-5.4.a \
              $(LUA_DIR)/liblua54.a $(LUA_DIR)/lua5.4/liblua.a))
LUA_SHARED := $(if $(LUA_PC),$(shell pkg-config --libs $(LUA_PC)),-llua5.4)

ifeq ($(shell uname -s),Darwin)
  LUA_LIBS   ?= $(if $(LUA_STATIC),-Wl$(comma)-force_load$(comma)$(LUA_STATIC),$(LUA_SHARED))
  SO_FLAGS   := -dynamiclib -undefined dynamic_lookup
  SYSTEM     := -lm -lpthread
  EXE_FLAGS  :=
else
  LUA_LIBS   ?= $(if $(LUA_STATIC),-Wl$(comma)--whole-archive $(LUA_STATIC) \
                -Wl$(comma)--no-whole-archive,$(LUA_SHARED))
  SO_FLAGS   := -shared
  SYSTEM     := -Wl,--as-needed -lm -ldl -lpthread
  EXE_FLAGS  := -Wl,-E
endif
# OpenBLAS and libedit are loaded at run time where they are there, and are not needed here.
LIBS ?= $(SYSTEM) -lz
# -ffp-contract=off: the kernels write their fused operations out, so every build has the same bits.
NN_CFLAGS := -std=gnu11 $(OPT) -fPIC -fvisibility=hidden -ffp-contract=off -Wall -Wextra \
             -Isrc $(LUA_CFLAGS) $(CFLAGS)

# --- What there is to build: everything that stands in src/, lua/ and spec/ ---------------------
LIB_SRC   := $(sort $(shell find src -name '*.c' ! -path src/main.c ! -path 'src/program/*'))
EXE_SRC   := src/main.c $(sort $(wildcard src/program/*.c))
ifeq ($(SAN),fuzz) # the readers and what they need: coverage makes the kernels slow to compile
  LIB_SRC := $(sort $(wildcard src/io/*.c)) $(addprefix src/core/,alloc.c status.c tensor.c)
endif
LUA_SRC   := $(sort $(shell find lua/nnlua -name '*.lua' ! -path '*/meta/*' 2>/dev/null))
TEST_SRC  := $(sort $(shell find spec -name '*_test.c' 2>/dev/null))
LIB_OBJ   := $(LIB_SRC:%.c=$(OUT)/obj/%.o) $(OUT)/obj/embedded.o
EXE_OBJ   := $(EXE_SRC:%.c=$(OUT)/obj/%.o)
FUZZ_SRC  := $(sort $(shell find spec -name '*_fuzz.c' 2>/dev/null))
FUZZ_BIN  := $(FUZZ_SRC:spec/%.c=$(OUT)/spec/%)
TEST_BIN  := $(TEST_SRC:spec/%.c=$(OUT)/spec/%)
NNLUA     := $(OUT)/nnlua

ifeq ($(V),)
  Q := @
  say = @printf '  %-6s %s\n' '$(1)' '$(patsubst $(BUILD)/%,%,$(2))'
endif

.PHONY: all
all: $(NNLUA) $(OUT)/libnnlua.a $(OUT)/libnnlua.so  ## build the program and both libraries

# The Lua module alone, for LuaRocks.
.PHONY: module
module: $(OUT)/libnnlua.so
	@mkdir -p $(OUT)/module
	@cp $< $(OUT)/module/nnlua.so

# --- Compiling ----------------------------------------------------------------------------------
$(OUT)/obj/%.o: %.c $(OUT)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(NN_CFLAGS) -MMD -MP -c -o $@ $<

# Where pkg-config knows no Lua: a line in place of the compiler's errors.
.PHONY: headers
headers:
	$(if $(LUA_PC),,@echo '#include <lauxlib.h>' | $(CC) $(LUA_CFLAGS) -E - >/dev/null 2>&1 || \
	  { echo 'Lua 5.4 has no headers here: run make demo, which installs them or says how' >&2; \
	    exit 1; })

# Other flags or another compiler: build again.
BUILT_WITH := $(CC) $(NN_CFLAGS) $(LDFLAGS) $(LUA_LIBS) $(LIBS)
$(OUT)/flags: FORCE | headers
	@mkdir -p $(@D)
	@echo '$(BUILT_WITH)' | cmp -s - $@ || echo '$(BUILT_WITH)' > $@

# Runs while building, so a build for another machine takes it from one for this machine.
EMBED ?= $(OUT)/embed

# The standard library as one C table; rewritten only when a Lua file changed, came or went.
$(OUT)/embed: tools/embed.c | headers
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O1 $(LUA_CFLAGS) -o $@ $< $(LUA_LIBS) -lm -ldl

$(OUT)/gen/embedded.c: $(EMBED) FORCE
	@mkdir -p $(@D)
	@$(EMBED) lua $(LUA_SRC) > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

$(OUT)/obj/embedded.o: $(OUT)/gen/embedded.c src/host/embedded.h $(OUT)/flags
	@mkdir -p $(@D)
	$(call say,CC,$(words $(LUA_SRC)) Lua files)
	$(Q)$(CC) $(NN_CFLAGS) -c -o $@ $<

$(OUT)/libnnlua.a: $(LIB_OBJ)
	@rm -f $@
	$(call say,AR,$@)
	$(Q)$(AR) rcs $@ $^

# As a Lua module the library takes the Lua of the program that loads it.
$(OUT)/libnnlua.so: $(LIB_OBJ)
	$(call say,LINK,$@)
	$(Q)$(CC) $(NN_CFLAGS) $(LDFLAGS) $(SO_FLAGS) -o $@ $^ $(LIBS)

$(NNLUA): $(EXE_OBJ) $(LIB_OBJ)
	$(call say,LINK,$@)
	$(Q)$(CC) $(NN_CFLAGS) $(LDFLAGS) $(EXE_FLAGS) -o $@ $^ $(LUA_LIBS) $(LIBS)

$(OUT)/spec/%: spec/%.c $(OUT)/libnnlua.a $(OUT)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(NN_CFLAGS) -Ispec -MMD -MP -o $@ $< $(OUT)/libnnlua.a $(LDFLAGS) $(LUA_LIBS) $(LIBS)

$(FUZZ_BIN): LDFLAGS += -fsanitize=fuzzer

.PHONY: FORCE
FORCE:

-include $(LIB_OBJ:.o=.d) $(EXE_OBJ:.o=.d) $(TEST_BIN:=.d) $(FUZZ_BIN:=.d)

# --- The two commands ----------------------------------------------------------------------------
# Both install what is missing, so the build proper is a second make that sees what was installed.
.PHONY: demo test bootstrap
demo:  ## install what is missing, build, run the first example
	@$(MAKE) --no-print-directory bootstrap NEED=demo
	@$(MAKE) --no-print-directory -j$(JOBS) all
	$(NNLUA) examples/01_tabular_classifier.lua

test:  ## install what is missing, build, run every spec under nnlua (SPEC=folder or file)
	@$(MAKE) --no-print-directory bootstrap NEED=test
	@$(MAKE) --no-print-directory -j$(JOBS) build-tests
	@$(MAKE) --no-print-directory run-tests

bootstrap:
	@[ '$(BOOTSTRAP)' = 0 ] || tools/bootstrap.sh packages $(NEED)

.PHONY: build-tests run-tests
build-tests: all $(TEST_BIN)
	@:

run-tests: build-tests busted
	@tools/run-tests.sh $(NNLUA) '$(SPEC)' '$(TESTFLAGS)' $(TEST_BIN)

# Busted for Lua 5.4: the system's, else through LuaRocks into the build folder.
.PHONY: busted
busted: $(NNLUA)
	@[ '$(BOOTSTRAP)' = 0 ] || tools/bootstrap.sh busted $(NNLUA)

# --- Checking ------------------------------------------------------------------------------------
.PHONY: lint asan fuzz build-fuzzers conformance bench docs
lint:  ## luacheck, gcc and clang with warnings as errors, cppcheck, the layering rule
	@$(MAKE) --no-print-directory bootstrap NEED=lint
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@tools/lint.sh $(NNLUA) $(BUILD)/lint '$(LUA_CFLAGS)'

asan:  ## the specs under AddressSanitizer and UndefinedBehaviorSanitizer
	@$(MAKE) --no-print-directory test SAN=1

conformance: all  ## what Keras computed: CASES=folder of case files
	$(NNLUA) spec/conformance/run.lua $(CASES)

fuzz:  ## the readers against broken files, FUZZ_SECONDS each (needs clang)
	@$(MAKE) --no-print-directory bootstrap NEED=fuzz
	@$(MAKE) --no-print-directory -j$(JOBS) SAN=fuzz CC=clang build-fuzzers
	@tools/fuzz.sh $(BUILD)/fuzz $(FUZZ_SECONDS) $(FUZZ_SRC)

build-fuzzers: $(FUZZ_BIN)
	@:

.PHONY: ulp
ulp: $(OUT)/spec/core/kernels_test  ## every float through every vector function (half an hour)
	$< 1

.PHONY: arm
arm: build-tests  ## build for 64-bit ARM, test under QEMU, compare the bits with this machine's
	@JOBS=$(JOBS) tools/arm.sh $(BUILD)

.PHONY: interop crash mutate
interop: all  ## exchange models with the real Keras and onnxruntime, from PyPI (needs Python)
	@spec/interop/run.sh $(NNLUA) $(BUILD)/interop

crash: all  ## kill a training at random moments RUNS times; it ends with the same bits
	$(NNLUA) spec/saving/crash.lua $(RUNS) $(BUILD)/crash

mutate: all  ## break sample files in RUNS ways and load each; allowed is success or a clean error
	$(NNLUA) spec/saving/mutate.lua $(RUNS) $(OUT)/mutate

bench: all  ## measure the workloads: one JSON line each, and a table
	$(NNLUA) bench/run.lua

# Compiled for this machine and with fast mathematics, which the library is not: it is the limit.
$(OUT)/limit: $(wildcard bench/limit*.c bench/limit*.h) $(OUT)/libnnlua.a
	$(call say,CC,bench/limit.c)
	$(Q)$(CC) -std=gnu11 -O3 -march=native -ffast-math -fopenmp-simd -Wall -Wextra -Isrc -Ibench \
	  -o $@ $(filter %.c,$^) $(OUT)/libnnlua.a $(LDFLAGS) $(LUA_LIBS) $(LIBS)

$(OUT)/kernels: bench/kernels.c $(OUT)/libnnlua.a
	$(call say,CC,$<)
	$(Q)$(CC) $(NN_CFLAGS) -o $@ $^ $(LDFLAGS) $(LUA_LIBS) $(LIBS)

.PHONY: bench-peers bench-kernels bench-growth bench-lua
# ROUNDS=5 WORKLOADS="W1 W2" PEERS="torch jax" QUICK=1: see bench/peers/run.py.
bench-peers: all $(OUT)/limit  ## the same beside PyTorch, Keras, JAX and others, in one run
	@bench/peers.sh $(BUILD)
	python3 bench/peers/run.py $(BUILD) $(RESULTS)

bench-kernels: $(OUT)/kernels  ## each kernel at the workloads' sizes, beside the machine's peak
	$< > $(OUT)/kernels.json
	python3 bench/kernels_table.py $(OUT)/kernels.json

bench-lua: all  ## what epochs, hooks and single rows cost on the Lua side
	$(NNLUA) bench/lua_side.lua

bench-growth: all  ## time of a step against batch, width, depth, rows, threads
	$(NNLUA) bench/growth.lua docs/performance

docs: all  ## the reference, from the annotations, into build/docs
	$(NNLUA) tools/docs.lua $(OUT)/docs

# --- A C host ------------------------------------------------------------------------------------
.PHONY: embed
embed: $(OUT)/host  ## build examples/embed/host.c against the static library

$(OUT)/host: examples/embed/host.c $(OUT)/libnnlua.a
	$(call say,CC,$<)
	$(Q)$(CC) $(NN_CFLAGS) -o $@ $< $(OUT)/libnnlua.a $(LDFLAGS) $(LUA_LIBS) $(LIBS)

# --- Installing ----------------------------------------------------------------------------------
VERSION := $(shell sed -n 's/^.define NN_VERSION "\(.*\)"/\1/p' src/core/version.h)
DEST    := $(DESTDIR)$(PREFIX)

.PHONY: install uninstall clean help
install: all  ## install to PREFIX (below DESTDIR): program, header, libraries, Lua module
	mkdir -p $(DEST)/bin $(DEST)/include $(DEST)/lib/pkgconfig $(DEST)/lib/lua/5.4
	install -m 755 -s $(NNLUA) $(DEST)/bin/nnlua
	install -m 644 src/nnlua.h $(DEST)/include/nnlua.h
	install -m 644 $(OUT)/libnnlua.a $(DEST)/lib/libnnlua.a
	install -m 755 $(OUT)/libnnlua.so $(DEST)/lib/libnnlua.so
	ln -sf ../../libnnlua.so $(DEST)/lib/lua/5.4/nnlua.so
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' -e 's|@LUA@|$(LUA_PC)|' \
	  -e 's|@LIBS@|$(LIBS)|' nnlua.pc.in > $(DEST)/lib/pkgconfig/nnlua.pc

uninstall:  ## remove what install put there
	rm -f $(DEST)/bin/nnlua $(DEST)/include/nnlua.h $(DEST)/lib/libnnlua.a \
	  $(DEST)/lib/libnnlua.so $(DEST)/lib/lua/5.4/nnlua.so $(DEST)/lib/pkgconfig/nnlua.pc

clean:  ## remove the build folder
	rm -rf $(BUILD)

help:  ## this list
	@grep -hE '^[a-z][a-z-]*:.*##' Makefile | \
	  sed -E 's/^([a-z-]+):[^#]*## */\1\t/' | awk -F '\t' '{printf "make %-12s %s\n", $$1, $$2}'
	@echo 'Settings: $(SETTINGS)'
