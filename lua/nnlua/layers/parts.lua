-- The weights of a layer that training changes. Three arguments say how each is made and held: for
-- the part "kernel" they are kernel_initializer, kernel_regularizer and kernel_constraint.

local parts = {}

--- Reads the three arguments of each part from `a` into the layer.
function parts.keep(layer, a, names)
  for _, part in ipairs(names) do
    for _, kind in ipairs {"initializer", "regularizer", "constraint"} do
      local key = part .. "_" .. kind
      layer[key] = require("nnlua." .. kind .. "s").get(a[key], layer.class_name)
    end
  end
end

--- The variable of a part, which may have another name, and another initializer than was given.
function parts.add(layer, part, shape, name, initializer)
  return layer:add_weight{name = name or part, shape = shape,
    initializer = initializer or layer[part .. "_initializer"],
    regularizer = layer[part .. "_regularizer"], constraint = layer[part .. "_constraint"]}
end

return parts
