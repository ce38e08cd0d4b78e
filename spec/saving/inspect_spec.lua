-- nnlua inspect: what it says of a file of each format.

local core = require "nnlua.core"
local inspect = require "nnlua.inspect"
local files = require "spec.support.files"
local scratch = require "spec.support.scratch"

local function text_of(path)
  local parts = {}
  inspect.print(inspect.file(path), function(text) parts[#parts + 1] = text end)
  return table.concat(parts)
end

describe("inspect", function()
  local names = {}
  for _, v in ipairs {"v1", "v2"} do
    for _, ending in ipairs {".keras", ".h5", ".safetensors", ".weights.h5", ".npz",
      ".weights.json", ".state.weights.h5"} do names[#names + 1] = v .. ending end
  end

  for _, name in ipairs(names) do
    local ending = name:match "%..*$"
    it("describes " .. name, function()
      local report = inspect.file("spec/files/" .. name)
      assert.equal(57, report.parameters)
      assert.equal(64, #report.sha256)
      local text = text_of("spec/files/" .. name)
      if name:find "^v2" and ending ~= ".npz" then
        assert.is_truthy(text:find("format      nnlua 2", 1, true))
        local sum = ending ~= ".keras" and ending ~= ".weights.json"
        assert.equal(sum, text:find "checksum    %x+ %(CRC%-32%), and it is right" ~= nil)
      end
      if ending == ".state.weights.h5" then
        assert.is_truthy(text:find("after 2 epochs and 0 batches", 1, true))
      end
      assert.is_truthy(text:find(report.sha256, 1, true))
      assert.is_truthy(text:find("parameters  57", 1, true))
      if ending == ".keras" or ending == ".h5" or ending == ".safetensors" then
        assert.is_truthy(text:find("LayerNormalization", 1, true))
        assert.is_truthy(text:find("optimizer Adam", 1, true))
      end
    end)
  end

  it("describes .onnx", function()
    assert.is_truthy(text_of("spec/files/v2.onnx"):find("LayerNormalization", 1, true))
  end)

  it("says what is wrong with a damaged file", function()
    local folder = scratch.make()
    finally(function() scratch.remove(folder) end)
    local name = folder .. "/half"
    for _, ending in ipairs {".keras", ".h5", ".safetensors", ".weights.h5", ".npz", ".onnx",
      ".weights.json"} do
      local text = files.read("spec/files/v2" .. ending)
      files.write(name .. ending, text:sub(1, #text // 2))
      local ok, told = pcall(inspect.file, name .. ending)
      assert.is_false(ok)
      assert.is_truthy(told:find(name, 1, true), told)
    end
  end)

  it("takes configurations for what they are", function()
    local folder = scratch.make()
    finally(function() scratch.remove(folder) end)
    local name = folder .. "/odd.h5"
    for _, text in ipairs{"5", "null", '"x"', "[]", "[[[]]]", "{}"} do
      core.hdf5.save(name, {{"text", "", "model_config", text},
        {"text", "", "training_config", text}, {"group", "model_weights"}})
      assert.is_truthy(text_of(name):find("odd.h5", 1, true))
    end
  end)

  it("says what it cannot read", function()
    local ok, text = pcall(inspect.file, "x.txt")
    assert.is_false(ok)
    assert.is_truthy(text:find("unknown ending '.txt'", 1, true))
    assert.is_false(pcall(inspect.file, "nowhere.keras"))
  end)
end)
