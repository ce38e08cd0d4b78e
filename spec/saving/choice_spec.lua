-- Which weights a load takes, and how calls of layers stand in files.

local nn = require "nnlua"
local core = require "nnlua.core"
local failure = require "spec.support.failure"
local scratch = require "spec.support.scratch"

local L, message = nn.layers, failure.of
local folder

local function path(name) return folder .. "/" .. name end

setup(function() folder = scratch.make() end)

before_each(function() nn.utils.clear_session() end)

teardown(function() scratch.remove(folder) end)

describe("a choice of weights", function()
  local endings = {".keras", ".weights.h5", ".h5", ".safetensors", ".npz"}

  local function pair(ending)
    local function make()
      return nn.Sequential{nn.Input{shape = {6}}, L.Dense{5, name = "first"},
        L.Dense{4, name = "second"}}
    end
    local a = make()
    a:save_weights(path("choice" .. ending))
    return a, make()
  end

  local function layer_bits(model, name)
    return core.sha256(model:get_layer(name):get_weights())
  end

  it("leaves out objects_to_skip", function()
    for _, ending in ipairs(endings) do
      local a, b = pair(ending)
      local before = layer_bits(b, "second")
      b:load_weights(path("choice" .. ending), {objects_to_skip = {b:get_layer "second"}})
      assert.equal(layer_bits(a, "first"), layer_bits(b, "first"))
      assert.equal(before, layer_bits(b, "second"))
    end
  end)

  it("by name leaves alone what the file does not hold", function()
    for _, ending in ipairs(endings) do
      local a = pair(ending)
      local b = nn.Sequential{nn.Input{shape = {6}}, L.Dense{5, name = "first"},
        L.Dense{4, name = "other"}}
      local before = layer_bits(b, "other")
      b:load_weights(path("choice" .. ending), {by_name = true})
      assert.equal(layer_bits(a, "first"), layer_bits(b, "first"), ending)
      assert.equal(before, layer_bits(b, "other"))
    end
  end)

  it("takes one record as well, as everything with named arguments does", function()
    local a, b = pair ".keras"
    a:save{path "record.keras"}
    assert.is_truthy(message(a.save, a, {path "record.keras", overwrite = false}):find("exists", 1,
      true))
    a:save_weights{filepath = path "record.weights.h5"}
    b:load_weights{path "record.weights.h5", by_name = false, skip_mismatch = true}
    a:export{path "record.onnx"}
    assert.is_truthy(message(a.save, a, {path "record.keras", overwrit = true}):find(
      "save: unknown argument 'overwrit'; did you mean 'overwrite'?", 1, true))
    assert.is_truthy(message(a.export, a, 1):find("export: path is 1, expected a string", 1, true))
  end)

  it("says what it does not know", function()
    local _, b = pair ".keras"
    local function says(part, options)
      local text = message(b.load_weights, b, path "choice.keras", options)
      assert.is_truthy(text:find(part, 1, true), text)
    end
    says("load_weights: unknown argument 'by_nam'; did you mean 'by_name'?", {by_nam = true})
    says("load_weights: by_name is 1, expected true or false", {by_name = 1})
    says("objects_to_skip is a string, expected a list of layers", {objects_to_skip = "first"})
    local text = message(nn.saving.load_model, path "choice.keras", {custom_objects = "Own"})
    assert.is_truthy(text:find("custom_objects is a string, expected {name =", 1, true), text)
  end)
end)

describe("what Keras builds by its calls", function()
  it("has no build_config", function()
    local x = nn.Input{shape = {4, 6}, name = "x"}
    local y = L.MultiHeadAttention{num_heads = 2, key_dim = 3}{x, x}
    local out = L.LSTM{4, return_state = true}(y)
    y = L.LSTM{4, name = "decoder"}{y, out[2], out[3]}
    local model = nn.Model{inputs = x, outputs = y}
    for _, layer in ipairs(core.json.decode(model:to_json()).config.layers) do
      if layer.name == "decoder" or layer.class_name == "MultiHeadAttention" then
        assert.is_nil(layer.build_config)
      end
    end
    model:save(path "calls.keras")
    local data = nn.random.normal{{3, 4, 6}}
    assert.equal(core.sha256{model:predict{data, verbose = 0}},
      core.sha256{nn.saving.load_model(path "calls.keras"):predict{data, verbose = 0}})
  end)

  it("keeps the switches of a call", function()
    local x = nn.Input{shape = {5}, dtype = "int32", name = "x"}
    local e = L.ReversibleEmbedding{8, 4, name = "e"}
    local model = nn.Model{inputs = x, outputs = e(L.Dense{4}(e(x)), {reverse = true})}
    for _, ending in ipairs {".keras", ".h5", ".safetensors"} do
      model:save(path("reverse" .. ending))
      local data = core.new({{1, 2, 3, 4, 5}}, "int32")
      assert.equal(core.sha256{model:predict{data, verbose = 0}}, core.sha256{
        nn.saving.load_model(path("reverse" .. ending)):predict{data, verbose = 0}})
    end
  end)
end)
