-- What the specs of data share: folders, errors, temporary files, small comparisons.

local assert = require "luassert"
local scratch = require "spec.support.scratch"

local support = {}

support.shared = "../shared/data/"

--- True when the folder of real data sets stands beside the checkout.
function support.has_shared()
  local file = io.open(support.shared .. "targets.json", "rb")
  if file then file:close() end
  return file ~= nil
end

function support.text(path)
  local file = io.open(path, "rb") or error("cannot open " .. path)
  local text = file:read("a")
  file:close()
  return text
end

function support.write(path, text)
  local file = io.open(path, "wb") or error("cannot open " .. path)
  file:write(text)
  file:close()
  return path
end

--- Asserts that f raises a message that holds `text`.
function support.raises(text, f, ...)
  local ok, message = pcall(f, ...)
  assert.is_false(ok, "expected an error")
  assert.is_truthy(tostring(message):find(text, 1, true), tostring(message))
end

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
