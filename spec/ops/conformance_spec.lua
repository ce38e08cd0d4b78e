-- What Keras computed for single ops: values and gradients (units/op.json); what NumPy computed for
-- the ops with its names (numpy.json). A case whose op is not there yet is pending, not passed.

local json = require "spec.conformance.json"
local files = require "spec.support.files"
local shared = require "spec.support.shared"
local values = require "spec.conformance.values"

values.null = json.null
local run_case = require "spec.conformance.kinds.op"

local function cases_by_name(text)
  local names, by_name = {}, {}
  for _, case in ipairs(json.decode(text).cases) do
    if not by_name[case.name] then
      by_name[case.name] = {}
      names[#names + 1] = case.name
    end
    table.insert(by_name[case.name], case)
  end
  table.sort(names)
  return names, by_name
end

local function check(text)
  local names, by_name = cases_by_name(text)
  for _, name in ipairs(names) do
    it(name, function()
      for _, case in ipairs(by_name[name]) do
        local failure, skipped = run_case(case)
        if skipped then
          pending(skipped)
          return
        end
        assert(not failure, failure and case.id .. ": " .. failure)
      end
    end)
  end
end

describe("nn.ops as Keras computes them", function()
  local text = shared.text "units/op.json"
  if text then check(text) else pending(shared.ABSENT) end
end)

describe("nn.ops as NumPy computes them", function()
  check(files.read "spec/ops/numpy.json")
end)
