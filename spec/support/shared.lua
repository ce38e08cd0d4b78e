-- Where the numbers that Keras printed stand: ../shared/conformance beside the checkout.

local files = require "spec.support.files"
local json = require "spec.support.json"

local shared = {root = "../shared/conformance/"}

shared.ABSENT = "skipped: no ../shared"

--- The text of a file under the root, or nil.
function shared.text(path) return files.text(shared.root .. path) end

--- The list of cases of a JSON file, or nil.
function shared.cases(path)
  local text = shared.text(path)
  return text and json.decode(text).cases
end

--- A number of a case: NaN and the infinities are strings there.
function shared.number(v)
  if v == "NaN" then return 0 / 0 end
  if v == "Infinity" then return math.huge end
  if v == "-Infinity" then return -math.huge end
  return v
end

return shared
