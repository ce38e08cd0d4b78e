-- Intersection over union of predicted and true classes: IoU of some classes, MeanIoU of all, and
-- their kin for probabilities. A confusion matrix of integers is kept; weights are cut to integers.

local core = require "nnlua.core"
local err = require "nnlua.err"
local ops = require "nnlua.ops"
local Metric = require "nnlua.metrics.metric"
local samples = require "nnlua.metrics.samples"

local iou = {}

local TAIL = [[name=None, dtype=None, ignore_class=None, sparse_y_true=True, sparse_y_pred=True,
  axis=-1]]

local IoU = Metric:extend("IoU", {
  args = "num_classes, target_class_ids, " .. TAIL,
  own = {"num_classes", "target_class_ids", "ignore_class", "sparse_y_true", "sparse_y_pred",
    "axis"},
  direction = "up",
})

local function all_classes(n)
  local list = {}
  for i = 1, n do list[i] = i - 1 end
  return list
end

function IoU:init(a)
  Metric.init(self, a)
  local n = self.num_classes
  if not math.tointeger(n) or n < 1 then
    err.raise("%s: num_classes is %s, expected an integer above 0", self.class_name, err.show(n))
  end
  local ids = self.target_class_ids or all_classes(n)
  for _, id in ipairs(ids) do
    if not math.tointeger(id) or id < 0 or id >= n then
      err.raise("%s: target_class_ids holds %s, expected 0 to %d", self.class_name, err.show(id),
        n - 1)
    end
  end
  rawset(self, "targets", ids)
  self.total_confusion_matrix = self:add_variable{shape = {n, n}, dtype = "int32",
    name = "total_confusion_matrix"}
end

function IoU:ids(y_true, y_pred)
  if not self.sparse_y_true then y_true = ops.argmax(y_true, self.axis) - 1 end
  if not self.sparse_y_pred then y_pred = ops.argmax(y_pred, self.axis) - 1 end
  return y_true, y_pred
end

function IoU:update_state(y_true, y_pred, sample_weight)
  local t, p, w = samples.collect(y_true, y_pred, sample_weight)
  t, p = self:ids(t, p)
  if t.size ~= p.size then
    err.raise("%s: y_true holds %d classes and y_pred %d", self.class_name, t.size, p.size)
  end
  local inputs = {t, p}
  if w then inputs[3] = w.size == t.size and w or ops.broadcast_to(w, t.shape) end
  self.total_confusion_matrix:assign_add(core.apply("confusion_matrix", inputs,
    {self.num_classes, self.ignore_class and 1 or 0, self.ignore_class or 0}))
end

--- The mean over the target classes that occur in labels or predictions.
function IoU:result()
  local m = self.total_confusion_matrix.tensor:totable()
  local sum, count = 0, 0
  for _, id in ipairs(self.targets) do
    local right, union = m[id + 1][id + 1], 0
    for k = 1, self.num_classes do union = union + m[id + 1][k] + m[k][id + 1] end
    union = union - right
    if union > 1e-9 then
      sum, count = sum + right / (union + 1e-7), count + 1
    end
  end
  return core.new(sum / (count + 1e-7))
end

iou.IoU = IoU

local Binary = IoU:extend("BinaryIoU", {
  args = "target_class_ids=(0, 1), threshold=0.5, name=None, dtype=None",
  own = {"target_class_ids", "threshold"},
})

function Binary:init(a)
  rawset(self, "num_classes", 2)
  IoU.init(self, a)
end

function Binary:ids(y_true, y_pred)
  return y_true, ops.cast(ops.greater_equal(y_pred, self.threshold), "int32")
end

iou.BinaryIoU = Binary

iou.MeanIoU = IoU:extend("MeanIoU", {
  args = "num_classes, " .. TAIL,
  own = {"num_classes", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis"},
})

local function one_hot(name, text, own)
  local cls = IoU:extend(name, {
    args = text .. ", name=None, dtype=None, ignore_class=None, sparse_y_pred=False, axis=-1",
    own = own,
  })
  function cls:init(a)
    rawset(self, "sparse_y_true", false)
    IoU.init(self, a)
  end
  iou[name] = cls
end

one_hot("OneHotIoU", "num_classes, target_class_ids",
  {"num_classes", "target_class_ids", "ignore_class", "sparse_y_pred", "axis"})
one_hot("OneHotMeanIoU", "num_classes", {"num_classes", "ignore_class", "sparse_y_pred", "axis"})

return iou
