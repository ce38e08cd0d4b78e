-- JSON for specs: the library's own reader where it is there, else dkjson.

local core_ok, core = pcall(require, "nnlua.core")
local json = core_ok and core.json

if json and json.decode then return {decode = json.decode} end

local dkjson = require "dkjson"

return {
  decode = function(text)
    local value, _, message = dkjson.decode(text, 1, nil, nil, nil) -- plain tables
    if message then error(message, 2) end
    return value
  end,
}
