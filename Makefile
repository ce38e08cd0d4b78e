# nnlua: settings first, then one paragraph a target. `make help` lists the targets.

# --- Settings (each can be given on the command line: make BUILD=/tmp/b CC=clang) ---------------
BUILD  ?= build
PREFIX ?= /usr/local
DESTDIR ?=
CC     ?= gcc
OPT    ?= -O2 -g
PYTHON ?= python3
# SAN=1 builds with AddressSanitizer and UndefinedBehaviorSanitizer, in a folder of its own.
SAN    ?=
# CASES=folder: what `make conformance` reads. SPEC=file or folder: what `make test` runs.
CASES  ?= ../shared/conformance
SPEC   ?= spec

ifneq ($(SAN),)
  OUT := $(BUILD)/san
  OPT := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
         -fno-sanitize-recover=undefined
else
  OUT := $(BUILD)
endif

# --- Lua 5.4: the static library where there is one (starting is then a millisecond) ------------
LUA_PC     ?= $(firstword $(foreach p,lua5.4 lua-5.4 lua54 lua,\
              $(shell pkg-config --exists '$(p) >= 5.4' '$(p) < 5.5' 2>/dev/null && echo $(p))))
LUA_CFLAGS ?= $(if $(LUA_PC),$(shell pkg-config --cflags $(LUA_PC)),-I/usr/include/lua5.4)
LUA_DIR    := $(if $(LUA_PC),$(shell pkg-config --variable=libdir $(LUA_PC)))
LUA_STATIC := $(firstword $(wildcard $(LUA_DIR)/liblua5.4.a $(LUA_DIR)/liblua-5.4.a \
              $(LUA_DIR)/liblua54.a $(LUA_DIR)/lua5.4/liblua.a))
LUA_SHARED := $(if $(LUA_PC),$(shell pkg-config --libs $(LUA_PC)),-llua5.4)

ifeq ($(shell uname -s),Darwin)
  LUA_LIBS   ?= $(if $(LUA_STATIC),-Wl$(comma)-force_load$(comma)$(LUA_STATIC),$(LUA_SHARED))
  SO_FLAGS   := -dynamiclib -undefined dynamic_lookup
  LIBS       ?= -lm -lpthread -lz
  EXE_FLAGS  :=
else
  LUA_LIBS   ?= $(if $(LUA_STATIC),-Wl$(comma)--whole-archive $(LUA_STATIC) \
                -Wl$(comma)--no-whole-archive,$(LUA_SHARED))
  SO_FLAGS   := -shared
  LIBS       ?= -lm -ldl -lpthread -lz
  EXE_FLAGS  := -Wl,-E
endif
comma := ,

# -ffp-contract=off: the kernels write their fused operations out, so every build has the same bits.
CFLAGS ?=
NN_CFLAGS := -std=gnu11 $(OPT) -fPIC -fvisibility=hidden -ffp-contract=off -Wall -Wextra \
             -Isrc $(LUA_CFLAGS) $(CFLAGS)

# --- What there is to build: everything that stands in src/, lua/ and spec/ ---------------------
LIB_SRC   := $(sort $(shell find src -name '*.c' ! -path src/main.c ! -path 'src/program/*'))
EXE_SRC   := src/main.c $(sort $(wildcard src/program/*.c))
LUA_SRC   := $(sort $(shell find lua/nnlua -name '*.lua' ! -path '*/meta/*' 2>/dev/null))
TEST_SRC  := $(sort $(shell find spec -name '*_test.c' 2>/dev/null))
LIB_OBJ   := $(LIB_SRC:%.c=$(OUT)/obj/%.o) $(OUT)/obj/embedded.o
EXE_OBJ   := $(EXE_SRC:%.c=$(OUT)/obj/%.o)
TEST_BIN  := $(TEST_SRC:spec/%.c=$(OUT)/spec/%)
NNLUA     := $(OUT)/nnlua

.PHONY: all
all: $(NNLUA) $(OUT)/libnnlua.a $(OUT)/libnnlua.so  ## build the program and both libraries

# --- Compiling ----------------------------------------------------------------------------------
$(OUT)/obj/%.o: %.c $(OUT)/flags
	@mkdir -p $(@D)
	$(CC) $(NN_CFLAGS) -MMD -MP -c -o $@ $<

# Other flags or another compiler: build again.
$(OUT)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(NN_CFLAGS) $(LUA_LIBS) $(LIBS)' | cmp -s - $@ || \
	  echo '$(CC) $(NN_CFLAGS) $(LUA_LIBS) $(LIBS)' > $@

# The standard library as one C table; rewritten only when a Lua file changed, came or went.
$(OUT)/embed: tools/embed.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O1 -o $@ $<

$(OUT)/gen/embedded.c: $(OUT)/embed FORCE
	@mkdir -p $(@D)
	@$(OUT)/embed lua $(LUA_SRC) > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; echo "embedded $(words $(LUA_SRC))" \
	  "Lua files"; fi

$(OUT)/obj/embedded.o: $(OUT)/gen/embedded.c src/host/embedded.h $(OUT)/flags
	@mkdir -p $(@D)
	$(CC) $(NN_CFLAGS) -c -o $@ $<

$(OUT)/libnnlua.a: $(LIB_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

# As a Lua module the library takes the Lua of the program that loads it.
$(OUT)/libnnlua.so: $(LIB_OBJ)
	$(CC) $(NN_CFLAGS) $(SO_FLAGS) -o $@ $^ $(LIBS)

$(NNLUA): $(EXE_OBJ) $(LIB_OBJ)
	$(CC) $(NN_CFLAGS) $(EXE_FLAGS) -o $@ $^ $(LUA_LIBS) $(LIBS)

$(OUT)/spec/%: spec/%.c $(OUT)/libnnlua.a $(OUT)/flags
	@mkdir -p $(@D)
	$(CC) $(NN_CFLAGS) -Ispec -MMD -MP -o $@ $< $(OUT)/libnnlua.a $(LUA_LIBS) $(LIBS)

.PHONY: FORCE
FORCE:

-include $(LIB_OBJ:.o=.d) $(EXE_OBJ:.o=.d) $(TEST_BIN:=.d)

# --- Running ------------------------------------------------------------------------------------
.PHONY: test
test: all $(TEST_BIN)  ## build and run every spec
	@for t in $(TEST_BIN); do $$t || exit 1; done
	$(NNLUA) tools/busted.lua $(SPEC)
