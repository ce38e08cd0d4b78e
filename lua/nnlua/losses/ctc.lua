-- CTC: sequences of labels without their places in time (Graves et al. 2006).

local core = require "nnlua.core"
local err = require "nnlua.err"
local shapes = require "nnlua.shapes"
local w = require "nnlua.losses.wrapper"

local ctc = {}

local function check_shapes(_, y_true, y_pred, where)
  if y_true.ndim == 2 and y_pred.ndim == 3 and y_true.shape[1] == y_pred.shape[1] then return end
  err.raise("%s: ctc wants labels (rows, length) and logits (rows, steps, classes) but y has shape "
    .. "%s and the output %s", where or "fit", shapes.text(y_true.shape),
    shapes.text(y_pred.shape))
end

local function loss(t, p)
  check_shapes(nil, t, p, "ctc")
  return core.apply("ctc", {p, t})
end

--- One value a row: labels (N, L) of class ids, 0 being the blank and the padding, against logits
--- (N, T, C).
ctc.ctc = w.fn("ctc", "", loss, {ids = true, check_shapes = check_shapes})
ctc.CTC = w.class("CTC", {
  args = w.common "ctc", fn = loss, ids = true, keep_ranks = true, check_shapes = check_shapes,
})

return ctc
