-- What the specs of data share: folders, errors, temporary files, small comparisons.

local assert = require "luassert"
local failure = require "spec.support.failure"
local files = require "spec.support.files"
local scratch = require "spec.support.scratch"

local support = {}

support.shared = "../shared/data/"

--- True when the folder of real data sets stands beside the checkout.
function support.has_shared()
  return files.text(support.shared .. "targets.json") ~= nil
end

support.text, support.write, support.raises = files.read, files.write, failure.says

--- Runs f(path) with the name of a file that goes away afterwards.
function support.with_file(ending, f)
  scratch.with(function(folder) f(folder .. "/file" .. ending) end)
end

--- Lists of numbers are equal within a relative (above 1) or absolute error.
function support.near(want, got, tolerance, where)
  assert.equal(#want, #got, where)
  for i, v in ipairs(want) do
    local off = math.abs(v - got[i])
    if off ~= off or off > tolerance * math.max(1, math.abs(v)) then
      error(("%s[%d]: wanted %.9g, got %.9g"):format(where or "value", i, v, got[i]), 2)
    end
  end
end

return support
