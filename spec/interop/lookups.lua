-- Layers that take texts, which exist outside models alone, and layers that have seen data:
-- exchanged by their configurations. nnlua spec/interop/lookups.lua write|read FOLDER

package.path = "./?.lua;" .. package.path
local nn = require "nnlua"
local core = require "nnlua.core"
local support = require "spec.interop.support"

local words = {{"the", "cat"}, {"sat", "on"}, {"the", "mat"}, {"", "dog"}, {"[UNK]", "Äpfel"}}
local numbers = {{1, 2}, {3, 5}, {8, 1}, {7, 4}, {2, 9}}
local reals = {{-1.5, 0.25}, {0.5, 2}, {3, -0.75}, {1, 1}, {0, 7.5}}

local function of(class, config, data) return {class = class, config = config, data = data} end

local cases = {
  of("StringLookup", {vocabulary = {"cat", "dog", "mat"}}, words),
  of("StringLookup", {vocabulary = {"cat", "dog"}, num_oov_indices = 3, mask_token = ""}, words),
  of("StringLookup", {vocabulary = {"cat", "mat"}, output_mode = "multi_hot"}, words),
  of("StringLookup", {vocabulary = {"cat", "the"}, output_mode = "count"}, words),
  of("StringLookup", {vocabulary = {"cat", "the"}, output_mode = "tf_idf",
    idf_weights = {0.5, 1.25}}, words),
  of("IntegerLookup", {vocabulary = {1, 2, 5}, num_oov_indices = 2}, numbers),
  of("IntegerLookup", {vocabulary = {1, 2, 5}, mask_token = 8, output_mode = "multi_hot"}, numbers),
  of("Hashing", {7}, words),
  of("Hashing", {7, salt = 5, mask_value = ""}, words),
  of("Hashing", {5, output_mode = "multi_hot"}, numbers),
  of("Discretization", {bin_boundaries = {-1, 0, 1.5}}, reals),
  of("CategoryEncoding", {num_tokens = 10, output_mode = "count"}, numbers),
  of("TextVectorization", {vocabulary = {"cat", "the", "mat"}, output_sequence_length = 4},
    {"The cat sat.", "on THE mat!", ""}),
  of("TextVectorization", {vocabulary = {"cat", "the"}, idf_weights = {0.5, 2}, ngrams = 2,
    output_mode = "tf_idf"}, {"The cat the cat sat.", "on THE mat!"}),
  of("HashedCrossing", {9}, {{"a", "b", "c", "a"}, {1, 2, 3, 4}}),
  of("HashedCrossing", {5, output_mode = "one_hot"}, {{1, 2, 3, 4}, {4, 3, 2, 1}}),
}

local function run(layer, data) return support.flat(layer(data)) end

-- Texts stay Lua's; numbers become a tensor. HashedCrossing takes columns.
local function input(data, class)
  if class == "HashedCrossing" then return data end
  local first = type(data[1]) == "table" and data[1][1] or data[1]
  if type(first) == "string" then return data end
  return core.new(data, math.type(first) == "integer" and "int32" or "float32")
end

local commands = {}

function commands.write(folder)
  local list = {}
  for i, c in ipairs(cases) do
    local layer = nn.layers[c.class](c.config)
    local out = run(layer, input(c.data, c.class))
    list[i] = {name = c.class, layer = nn.saving.serialize_keras_object(layer), data = c.data,
      output = out}
  end
  support.write(folder .. "/lookups.json", list)
end

function commands.read(folder)
  local list, failed = support.read(folder .. "/lookups.back.json"), 0
  for i, c in ipairs(cases) do
    local one = list and list[i] or {}
    local ok, text = pcall(function()
      local layer = nn.saving.deserialize_keras_object(one.layer)
      local gap = support.gap(run(layer, input(c.data, c.class)), one.output)
      assert(gap <= 1e-6, "differs by " .. gap)
    end)
    if not ok then
      failed = failed + 1
      print(("FAILED Keras -> nnlua %d %s: %s"):format(i, c.class, tostring(text)))
    end
  end
  print(("lookups, Keras -> nnlua: %d passed, %d failed"):format(#cases - failed, failed))
  os.exit(failed == 0 and 0 or 1)
end

commands[arg[1]](arg[2])
