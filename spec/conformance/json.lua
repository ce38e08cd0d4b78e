-- JSON for the case files, with a value for null.

local core = require "nnlua.core"

local json = {}

if core.json then
  json.null = core.json.null
  json.decode = core.json.decode
else
  local dkjson = require "dkjson"
  json.null = setmetatable({}, {__tostring = function() return "null" end})
  function json.decode(text)
    local value, _, message = dkjson.decode(text, 1, json.null)
    if message then error(message, 0) end
    return value
  end
end

return json
