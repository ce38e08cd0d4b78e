-- What Keras computed for the activations: values and gradients (units/activation.json).

local nn = require "nnlua"
local json = require "spec.conformance.json"
local shared = require "spec.support.shared"
local values = require "spec.conformance.values"

values.null = json.null
local run_case = require "spec.conformance.kinds.activation"

describe("nn.activations as Keras computes them", function()
  local text = shared.text "units/activation.json"
  if not text then
    pending(shared.ABSENT)
    return
  end
  for _, case in ipairs(json.decode(text).cases) do
    it(case.id, function()
      local failure, skipped = run_case(case)
      assert(not (failure or skipped), failure or skipped)
    end)
  end
end)

describe("nn.activations", function()
  it("are found by name, by alias, by function, and nil is linear", function()
    local a = nn.activations
    assert.equal(a.relu, a.get "relu")
    assert.equal(a.silu, a.get "swish")
    assert.equal(a.hard_silu, a.get "hard_swish")
    assert.equal(a.linear, a.get(nil))
    local own = function(x) return x end
    assert.equal(own, a.get(own))
  end)

  it("are their names as data", function()
    local a = nn.activations
    assert.equal("silu", a.serialize(a.swish))
    assert.equal("linear", a.serialize(a.linear))
    assert.equal(a.gelu, a.deserialize "gelu")
  end)

  it("tell the nearest name", function()
    local ok, text = pcall(nn.activations.get, "relo")
    assert.is_false(ok)
    assert.matches("unknown activation 'relo'; did you mean 'relu'%?", text)
  end)
end)
