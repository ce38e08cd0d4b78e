require "nnlua"

local args = require "nnlua.args"
local core = require "nnlua.core"
local dkjson = require "dkjson"
local Variable = require "nnlua.variable"
local optimizers = require "nnlua.optimizers"
local shared = require "spec.support.shared"

local function cases()
  local text = shared.text "units/optimizer.json"
  return text and (dkjson.decode(text, 1, args.None, nil, nil)).cases
end

local function tensor(t)
  local flat = core.new(t.data)
  return #t.shape == 1 and flat or core.reshape(flat, t.shape)
end

local function flat(t)
  local out = {}
  local view = core.reshape(core.new(t), {t.size})
  for i = 1, t.size do out[i] = view[i] end
  return out
end

-- The largest violation of the tolerance, as a text, or nil.
local function worse(got, want, tolerance)
  for i, w in ipairs(want) do
    w = shared.number(w)
    local bound = tolerance.atol + tolerance.rtol * math.abs(w)
    if not (math.abs(got[i] - w) <= bound) and not (w ~= w and got[i] ~= got[i]) then
      return ("element %d: %.9g, expected %.9g"):format(i, got[i], w)
    end
  end
end

local function names_of(list)
  local out = {}
  for i, v in ipairs(list) do
    local name = v.name:gsub("^variable_%d+$", "variable") -- numbered through the process
    out[i] = name .. "(" .. table.concat(v.shape, ",") .. ")"
  end
  return table.concat(out, " ")
end

local function run(case)
  local o = optimizers[case.name](case.config)
  local variables = {}
  for i, t in ipairs(case.inputs.variables) do
    variables[i] = Variable {tensor(t), name = "var" .. (i - 1)}
  end
  for step, list in ipairs(case.inputs.gradients) do
    local grads = {}
    for i, g in ipairs(list) do grads[i] = tensor(g) end
    o:apply(grads, variables)
    for i, want in ipairs(case.expected.after[tostring(step)] or {}) do
      local bad = worse(flat(variables[i].tensor), want.data, case.tolerance)
      assert.is_nil(bad, bad and ("step %d, variable %d, %s"):format(step, i, bad))
    end
  end
  return o
end

describe("optimizers", function()
  local list = cases()
  if not list then
    pending(shared.ABSENT)
  else
    for _, case in ipairs(list) do
      it("do Keras's steps in " .. case.id, function()
        local o, want = run(case), case.expected
        assert.equal(names_of(want.optimizer_variables), names_of(o.variables))
        assert.near(want.learning_rate_after, o.learning_rate,
          1e-6 * math.abs(want.learning_rate_after))
        assert.equal(want.iterations, o.iterations)
      end)
    end
  end
end)
