-- nnlua spec/interop/onnx.lua FOLDER: exports the models that ONNX can hold, for onnxruntime.

package.path = "./?.lua;" .. package.path
local nn = require "nnlua"
local models = require "spec.interop.models"
local support = require "spec.interop.support"

local folder, names, left_out = arg[1], {}, {}
for _, m in ipairs(models) do
  nn.utils.clear_session()
  nn.utils.set_random_seed(7)
  local model, x = m.build(), support.input(m)
  local base = folder .. "/" .. m.name
  local ok, text = pcall(model.export, model, base .. ".onnx")
  if ok then
    support.write(base .. ".onnx.json", {name = m.name, x = m.x, ids = m.ids,
      predict = support.flat(model:predict{x, verbose = 0})})
    names[#names + 1] = m.name
  else
    left_out[#left_out + 1] = m.name
    text = tostring(text)
    if not text:find "cannot be exported" and not text:find "not over the last" then
      print(m.name .. ": " .. text)
    end
  end
end
support.write(folder .. "/onnx.json", names)
print(("%d models exported; left out: %s"):format(#names, table.concat(left_out, ", ")))
