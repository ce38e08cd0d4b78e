-- Writes what every peer trains on: data, first weights and a line of settings for each workload.
--
--   nnlua bench/peers/export.lua FOLDER [quick]
--
-- FOLDER/W1.spec holds "rows batch epochs optimizer loss columns width ... width": the same model
-- for everybody. W1-x.npy, W1-y.npy, W1-w1.npy (columns, width), W1-b1.npy and so on hold numbers.

package.path = "./?.lua;" .. package.path
local nn = require "nnlua"
local core = require "nnlua.core"
local workloads = require "bench.workloads"

local folder, quick = arg[1], arg[2] == "quick"

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

local function spec_line(w)
  local widths = {w.columns, table.unpack(w.widths)}
  widths[#widths + 1] = w.classes
  return ("%d %d %d %s %s %s\n"):format(w.rows, w.batch, w.epochs, w.optimizer,
    w.softmax and "softmax" or "mse", table.concat(widths, " "))
end

for _, name in ipairs{"W1", "W2", "W3", "W4"} do
  local spec = spec_line(workloads.settings(name, quick))
  local path = ("%s/%s"):format(folder, name)
  local old = io.open(path .. ".spec")
  local same = old and old:read "a" == spec
  if old then old:close() end
  if not same then
    local model, x, y = workloads.make(name, quick)
    nn.data.save_npy(path .. "-x.npy", core.astype(x, "float32"))
    nn.data.save_npy(path .. "-y.npy", core.astype(y, "float32"))
    for i, v in ipairs(model.trainable_variables) do
      local kind = i % 2 == 1 and "w" or "b"
      nn.data.save_npy(("%s-%s%d.npy"):format(path, kind, (i + 1) // 2), v.tensor)
    end
    write(path .. ".spec", spec) -- last: it says that the rest is there
  end
end
