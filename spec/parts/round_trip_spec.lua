-- Every part through the form that saved models hold, and back.

local nn = require "nnlua"
local core = require "nnlua.core"
local args = require "nnlua.args"
local objects = require "nnlua.saving.objects"

-- What classes without defaults want.
local given = {
  IoU = {2, {0}}, MeanIoU = {2}, OneHotIoU = {2, {1}}, OneHotMeanIoU = {2},
  SensitivityAtSpecificity = {0.5}, SpecificityAtSensitivity = {0.5}, PrecisionAtRecall = {0.5},
  RecallAtPrecision = {0.5}, AUC = {thresholds = {0.2, 0.6}, label_weights = {1, 2}},
  MaxNorm = {axis = {1, 2}}, Dice = {axis = 2}, RandomNormal = {seed = 3},
  GlorotUniform = {input_axes = {1}, output_axes = {-1}, seed = 5}, Huber = {delta = 0.5},
  MeanMetricWrapper = {nn.losses.huber, delta = 0.5, name = "h"},
  LossFunctionWrapper = {nn.losses.huber, delta = 0.5},
}

local function plain(v)
  if v == args.None then return nil end
  if type(v) ~= "table" or getmetatable(v) then return v end
  local out = {}
  for key, one in pairs(v) do out[key] = plain(one) end
  return out
end

local abstract = {Loss = true, Metric = true, Initializer = true, Regularizer = true,
  Constraint = true}

for _, space in ipairs {"initializers", "regularizers", "constraints", "losses", "metrics"} do
  describe("nn." .. space .. " in saved form", function()
    local seen = {}
    for _, name in ipairs(nn[space].names()) do
      local cls = nn[space][name]
      if type(cls) == "table" and not seen[cls] and not abstract[name] then
        seen[cls] = true
        it(name, function()
          local object = cls(given[name] or {})
          local text = core.json.encode(objects.serialize(object))
          local again = objects.deserialize(core.json.decode(text))
          assert.equal(cls, getmetatable(again))
          assert.same(plain(object:get_config()), plain(again:get_config()))
          local data = nn[space].serialize(object)
          assert.equal("keras." .. space, data.module)
          assert.same(plain(object:get_config()),
            plain(nn[space].deserialize(data):get_config()))
        end)
      end
    end
  end)
end
