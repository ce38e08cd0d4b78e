-- Batches as (x, y, sample_weight): for train steps of one's own.

local args = require "nnlua.args"
local err = require "nnlua.err"

local tuples = {}

--- {x}, {x, y} or {x, y, sample_weight}: as many as are given.
---@return table
tuples.pack = args.fn("pack_x_y_sample_weight", "x, y=None, sample_weight=None",
  function(x, y, sample_weight) return {x, y, sample_weight} end)

--- The three parts of a batch; nil for those that it lacks.
---@param data table {x, y, sample_weight}
---@return any x, any y, any sample_weight
function tuples.unpack(data)
  if not args.is_record(data) then return data end
  for key in pairs(data) do
    if key ~= 1 and key ~= 2 and key ~= 3 then
      err.raise("unpack_x_y_sample_weight: the batch has a part %s, expected {x, y, sample_weight}",
        tostring(key))
    end
  end
  return data[1], data[2], data[3]
end

return tuples
