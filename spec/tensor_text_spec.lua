-- tostring(t), against what NumPy 2.4.6 printed for the same float32, int32 and uint8 arrays
-- (tensor_text.json).

local nn = require "nnlua"
local core = require "nnlua.core"
local json = require "spec.support.json"
local shared = require "spec.support.shared"

local function cases()
  local file = assert(io.open("spec/tensor_text.json", "rb"))
  local text = file:read "a"
  file:close()
  return json.decode(text).cases
end

local function tensor_of(case)
  local flat
  if case.arange then
    flat = core.arange(case.arange, 0, 1, case.dtype)
  elseif #case.data == 0 then
    return core.full(case.shape, 0, case.dtype)
  else
    local numbers = {}
    for i, v in ipairs(case.data) do numbers[i] = shared.number(v) end
    flat = core.new(numbers, case.dtype)
  end
  return core.reshape(flat, case.shape)
end

describe("the text of a tensor", function()
  it("is what NumPy prints", function()
    for _, case in ipairs(cases()) do assert.equal(case.text, tostring(tensor_of(case))) end
  end)

  it("of a view is that of its elements", function()
    assert.equal("[1 4]", tostring(nn.arange(6):reshape{2, 3}:transpose():slice{{2, 2}}:reshape{2}))
  end)

  it("of a tensor being traced says so", function()
    local seen
    local graph = core.record "trace"
    seen = tostring(core.input(graph, {2, 3}, "float32"))
    core.done(graph)
    assert.equal("<traced tensor, shape=(2, 3), dtype=float32>", seen)
  end)
end)
