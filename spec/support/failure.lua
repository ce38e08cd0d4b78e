-- Calls that must fail.

local assert = require "luassert"

local failure = {}

--- The error that f(...) raises.
function failure.of(f, ...)
  local ok, e = pcall(f, ...)
  assert.is_false(ok, "expected an error")
  return e
end

--- Asserts that f(...) raises a message that holds `text`.
function failure.says(text, f, ...)
  local message = tostring(failure.of(f, ...))
  assert.is_truthy(message:find(text, 1, true), message)
end

return failure
