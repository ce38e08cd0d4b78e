-- nn.layers: every layer by its Keras name, loaded when first used. One line a layer.

local lazy = {
  Layer = "layer", Dense = "dense",
}

local layers = {}

--- Names of all built-in layers, sorted.
function layers.names()
  local list = {}
  for name in pairs(lazy) do list[#list + 1] = name end
  table.sort(list)
  return list
end

return setmetatable(layers, {
  __index = function(_, name)
    local file = lazy[name]
    if not file then return nil end
    local value = require("nnlua.layers." .. file)
    if type(value) == "table" and rawget(value, "class_name") == nil and value[name] then
      value = value[name]
    end
    layers[name] = value
    return value
  end,
})
