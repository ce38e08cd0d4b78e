local repr = require "nnlua.repr"

describe("repr", function()
  -- what Python 3's repr gives
  local TEXTS = {
    [0.1] = "0.1", [1e-5] = "1e-05", [1e16] = "1e+16", [123456789012345680.0] =
    "1.2345678901234568e+17", [1e15] = "1000000000000000.0", [0.0001] = "0.0001",
    [2.0 ^ -44] = "5.684341886080802e-14", [5e-324] = "5e-324", [1 / 3] = "0.3333333333333333",
    [2.212808847427368] = "2.212808847427368", [-2.5] = "-2.5", [100] = "100.0",
    [1.7976931348623157e308] = "1.7976931348623157e+308", [9007199254740993.0] =
    "9007199254740992.0", [0.5] = "0.5", [12.0] = "12.0", [1.5e-7] = "1.5e-07",
  }

  it("writes doubles as Python does", function()
    for value, text in pairs(TEXTS) do assert.equal(text, repr.float(value)) end
    assert.equal("nan", repr.float(0 / 0))
    assert.equal("inf", repr.float(math.huge))
    assert.equal("-inf", repr.float(-math.huge))
    assert.equal("-0.0", repr.float(-0.0))
    assert.equal("0.0", repr.float(0.0))
  end)

  it("reads back to the same double", function()
    for exponent = -1074, 1023 do
      local x = 2.0 ^ exponent
      assert.equal(x, tonumber(repr.float(x)))
      local y = x * 1.3371337
      if y < math.huge then assert.equal(y, tonumber(repr.float(y))) end
    end
  end)

  it("widens float32 values", function()
    assert.equal("0.800000011920929", repr.float(repr.float32(0.8)))
    assert.equal("0.00033", repr.float(0.00033))
  end)

  it("keeps integers and names other values", function()
    assert.equal("3", repr.value(3))
    assert.equal("3.0", repr.value(3.0))
    assert.equal("True", repr.value(true))
    assert.equal("None", repr.value(nil))
  end)
end)
