-- nn.utils: small helpers. Modules load when first asked for.

-- name -> module that is the value, or {module, field}
local MODULES = {
  Progbar = "nnlua.progbar",
  pad_sequences = {"nnlua.utils.pad_sequences", "pad_sequences"},
}

return setmetatable({}, {
  __index = function(t, name)
    local where = MODULES[name]
    if not where then return nil end
    local value = require(type(where) == "table" and where[1] or where)
    if type(where) == "table" then value = value[where[2]] end
    rawset(t, name, value)
    return value
  end,
})
