-- nnlua inspect: what it says of a file of each format.

local inspect = require "nnlua.inspect"

local function text_of(path)
  local parts = {}
  inspect.print(inspect.file(path), function(text) parts[#parts + 1] = text end)
  return table.concat(parts)
end

describe("inspect", function()
  for _, ending in ipairs {".keras", ".h5", ".safetensors", ".weights.h5", ".npz"} do
    it("describes " .. ending, function()
      local report = inspect.file("spec/files/v1" .. ending)
      assert.equal(57, report.parameters)
      assert.equal(64, #report.sha256)
      local text = text_of("spec/files/v1" .. ending)
      assert.is_truthy(text:find(report.sha256, 1, true))
      assert.is_truthy(text:find("parameters  57", 1, true))
      if ending == ".keras" or ending == ".h5" or ending == ".safetensors" then
        assert.is_truthy(text:find("LayerNormalization", 1, true))
        assert.is_truthy(text:find("optimizer Adam", 1, true))
      end
    end)
  end

  it("says what it cannot read", function()
    local ok, text = pcall(inspect.file, "x.txt")
    assert.is_false(ok)
    assert.is_truthy(text:find("unknown ending '.txt'", 1, true))
    assert.is_false(pcall(inspect.file, "nowhere.keras"))
  end)
end)
