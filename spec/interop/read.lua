-- nnlua spec/interop/read.lua FOLDER: loads what Keras saved, compares predictions and two more
-- epochs of training.

package.path = "./?.lua;" .. package.path
local nn = require "nnlua"
local models = require "spec.interop.models"
local support = require "spec.interop.support"

local folder, passed, failed = arg[1], 0, 0

local function check(m, path, ending)
  local want = support.read(folder .. "/" .. m.name .. ".back.json")
  if not want then return "Keras wrote nothing" end
  local x = support.input(m)
  local model
  nn.utils.clear_session()
  if ending == ".weights.h5" then
    model = m.build()
    model:compile{optimizer = m.optimizer and m.optimizer() or "adam",
      loss = "sparse_categorical_crossentropy", metrics = {"accuracy"}}
    model:load_weights(path)
  else
    model = nn.saving.load_model(path)
  end
  local gap = support.gap(support.flat(model:predict{x, verbose = 0}), want.predict)
  if gap > 1e-5 then return ("predictions differ by %g"):format(gap) end
  gap = support.gap(support.go_on(model, x), want.history)
  if gap > 1e-4 then return ("two more epochs differ by %g"):format(gap) end
end

for _, m in ipairs(models) do
  for _, ending in ipairs {".keras", ".h5", ".weights.h5"} do
    local path = folder .. "/" .. m.name .. ".back" .. ending
    if require("nnlua.core").sys.exists(path) then
      local ok, problem = pcall(check, m, path, ending)
      local lost = ending == ".h5" and m.lost_h5 -- what Keras does not write there is an error
      if lost then ok, problem = not ok and tostring(problem):find(lost, 1, true), problem end
      if lost and ok then problem = nil end
      if ok and not problem then
        passed = passed + 1
      else
        failed = failed + 1
        print("FAILED Keras -> nnlua " .. m.name .. ending .. ": " .. tostring(problem))
      end
    end
  end
end
print(("Keras -> nnlua: %d passed, %d failed"):format(passed, failed))
os.exit(failed == 0 and passed > 0 and 0 or 1)
