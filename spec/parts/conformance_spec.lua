-- What Keras computed for losses, metrics, initializers, regularizers and constraints: every case
-- of units/KIND.json.

local json = require "spec.conformance.json"
local shared = require "spec.support.shared"
local values = require "spec.conformance.values"

values.null = json.null

local function by_name(cases)
  local names, lists = {}, {}
  for _, case in ipairs(cases) do
    if not lists[case.name] then
      lists[case.name] = {}
      names[#names + 1] = case.name
    end
    table.insert(lists[case.name], case)
  end
  return names, lists
end

for _, kind in ipairs {"loss", "metric", "initializer", "regularizer", "constraint"} do
  describe("Keras's cases of the kind " .. kind, function()
    local text = shared.text("units/" .. kind .. ".json")
    if not text then return pending(shared.ABSENT) end
    local run_case = require("spec.conformance.kinds." .. kind)
    local names, lists = by_name(json.decode(text).cases)
    for _, name in ipairs(names) do
      it(name, function()
        for _, case in ipairs(lists[name]) do
          local failure, skipped = run_case(case)
          assert(not skipped, skipped)
          assert(not failure, failure and case.id .. ": " .. failure)
        end
      end)
    end
  end)
end
