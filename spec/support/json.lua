-- JSON for specs: the library's own reader where it is there, else dkjson.

local core_ok, core = pcall(require, "nnlua.core")
local json = core_ok and core.json

-- null becomes nil: absent from tables, a hole in lists.
local function without_null(v)
  if v == json.null then return nil end
  if type(v) ~= "table" then return v end
  local out = {}
  for key, item in pairs(v) do out[key] = without_null(item) end
  return out
end

if json and json.decode then
  return {decode = function(text) return without_null(json.decode(text)) end}
end

local dkjson = require "dkjson"

return {
  decode = function(text)
    local value, _, message = dkjson.decode(text, 1, nil, nil, nil) -- plain tables
    if message then error(message, 2) end
    return value
  end,
}
