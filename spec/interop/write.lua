-- nnlua spec/interop/write.lua FOLDER: trains the models and saves them for Keras, with what they
-- predict and how they train on.

package.path = "./?.lua;" .. package.path
local nn = require "nnlua"
local models = require "spec.interop.models"
local support = require "spec.interop.support"

local folder, names, failed = arg[1], {}, 0

local function write(m)
  nn.utils.clear_session()
  nn.utils.set_random_seed(7)
  local model, x = m.build(), support.input(m)
  model:compile{optimizer = m.optimizer and m.optimizer() or "adam",
    loss = "sparse_categorical_crossentropy", metrics = {"accuracy"}}
  model:fit{x, support.labels(), epochs = 1, batch_size = 16, shuffle = false, verbose = 0}
  local base = folder .. "/" .. m.name
  model:save(base .. ".keras")
  model:save(base .. ".h5")
  model:save_weights(base .. ".weights.h5")
  local expected = {name = m.name, x = m.x, ids = m.ids, no_h5 = m.no_h5, needs = m.needs,
    predict = support.flat(model:predict{x, verbose = 0})}
  expected.history = support.go_on(model, x)
  support.write(base .. ".json", expected)
  names[#names + 1] = m.name
end

for _, m in ipairs(models) do
  local ok, text = pcall(write, m)
  if not ok then
    failed = failed + 1
    print("FAILED to write " .. m.name .. ": " .. tostring(text))
  end
end
support.write(folder .. "/index.json", names)
print(("%d models written, %d failed"):format(#names, failed))
