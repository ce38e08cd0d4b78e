-- Every layer of spec/layers/rows.lua as C and as ONNX: C compiles and computes what predict gives,
-- ONNX is written (make interop runs it). What cannot be exported is listed here, with its error.

local nn = require "nnlua"
local core = require "nnlua.core"
local rows = require "spec.layers.rows"
local support = require "spec.saving.export_support"
local zoo = require "spec.saving.export_models"
local scratch = require "spec.support.scratch"

local L = nn.layers

local folder

setup(function() folder = scratch.make() end)

teardown(function() scratch.remove(folder) end)

before_each(function()
  nn.utils.clear_session()
  nn.utils.set_random_seed(3)
end)

-- Hashing needs 64-bit integers.
local refused = {Hashing = "hash_bins", HashedCrossing = "hash_cross"}

local function check_c(model, inputs)
  local y = model:predict{#inputs == 1 and inputs[1] or inputs, verbose = 0}
  local list = core.is_tensor(y) and {y} or y
  local got = support.run_c(folder, model, inputs, list)
  assert.is_true(support.gap(got, support.interleaved(list)) <= 3e-6)
end

local function check_refused(model, word)
  for _, ending in ipairs {"c", "onnx"} do
    local path = folder .. "/refused." .. ending
    local ok, text = pcall(model.export, model, path)
    assert.is_false(ok)
    assert.is_truthy(text:find(word, 1, true), text)
    assert.is_truthy(text:find("layer '", 1, true), text)
    assert.is_false(core.sys.exists(path))
  end
end

describe("the layers", function()
  for i, row in ipairs(rows) do
    it(("%d: %s"):format(i, row[1]), function()
      local model, inputs = zoo.of_row(row, 3)
      if refused[row[1]] then return check_refused(model, refused[row[1]]) end
      check_c(model, inputs)
      model:export(folder .. "/row.onnx")
    end)
  end
end)

describe("other models", function()
  for _, m in ipairs(zoo.models) do
    it(m.name, function()
      local model, inputs = zoo.make(m, 3)
      check_c(model, inputs)
      model:export(folder .. "/other.onnx")
    end)
  end
end)

describe("a model with a call of its own", function()
  it("is exported once its input is known", function()
    local model, inputs = zoo.own(3)
    check_c(model, inputs)
    model:export(folder .. "/own.onnx")
  end)

  it("is an error before that", function()
    local ok, text = pcall(nn.saving.export, nn.Model:extend "Unknown" {}, folder .. "/no.c")
    assert.is_false(ok)
    assert.is_truthy(text:find("call it once on a batch", 1, true), text)
  end)
end)

describe("the size of the batch", function()
  local function lambda(f)
    return zoo.make({x = {4}, build = function(x) return L.Lambda{["function"] = f}(x) end}, 2)
  end

  local function onnx_error(f)
    local ok, text = pcall(nn.saving.export, lambda(f), folder .. "/no.onnx")
    assert.is_false(ok)
    return text
  end

  it("may stand in shapes, not in numbers", function()
    assert.matches("layer 'lambda' .* a constant that changes with sizes that are not fixed",
      onnx_error(function(x) return x / x.shape[1] end))
  end)

  it("does not say how many ops there are", function()
    local text = onnx_error(function(x)
      for _ = 1, x.shape[1] do x = x + 1 end
      return x
    end)
    assert.matches("the ops of model '.*' change with sizes that are not fixed", text)
  end)

  it("may be fixed", function()
    check_c(zoo.make({x = {3, 2}, batch = 1, build = function(x)
      return L.LSTM{3}(x)
    end}, 1))
  end)
end)

describe("sizes that Input leaves open", function()
  for _, m in ipairs(zoo.open) do
    it("stay open in ONNX: " .. m.name, function()
      local model = zoo.make_open(m)
      model:export(folder .. "/open.onnx")
      local ok, text = pcall(model.export, model, folder .. "/no.c")
      assert.is_false(ok)
      assert.is_truthy(text:find("a size of layer 'x1' is unknown", 1, true), text)
    end)
  end

  it("are an error where the number of ops depends on them", function()
    local x = nn.Input{shape = {false, 3}}
    local model = nn.Model{inputs = x, outputs = L.LSTM{2}(x)}
    local ok, text = pcall(model.export, model, folder .. "/no.onnx")
    assert.is_false(ok)
    assert.is_truthy(text:find("what Input leaves open", 1, true), text)
  end)
end)

describe("what cannot be exported", function()
  for _, m in ipairs(zoo.refused) do
    it(m.name .. " is an error that names it", function()
      check_refused(zoo.make(m, 2), m.word)
    end)
  end
end)
