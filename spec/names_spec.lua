-- Names, arguments and defaults against the list that was taken from Keras.

local nn = require "nnlua"
local args = require "nnlua.args"
local json = require "spec.conformance.json"

local file = io.open "../shared/keras-names.json"
local names = file and json.decode(file:read "a")
if file then file:close() end

local function words(text)
  local set = {}
  for word in text:gmatch "%S+" do set[word] = true end
  return set
end

-- Recurrent convolutions, augmentation of pictures and sound, other frameworks' layers.
local absent = {
  layers = words [[AugMix AutoContrast CenterCrop ContrastLimitedAdaptiveHistogramEqualization
    ConvLSTM1D ConvLSTM2D ConvLSTM3D CutMix Equalization FlaxLayer InputSpec
    JaxLayer MaxNumBoundingBoxes MelSpectrogram MixUp Pipeline RandAugment
    RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast
    RandomCrop RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur
    RandomGrayscale RandomHue RandomInvert RandomPerspective RandomPosterization
    RandomRotation RandomSaturation RandomSharpness RandomShear RandomTranslation
    RandomZoom Resizing STFTSpectrogram Solarization TFSMLayer TorchModuleWrapper
    deserialize serialize]],
  callbacks = words "OrbaxCheckpoint",
}

-- Axes count from 1 here; these take one by default.
local axis_arguments = words "axis axes axis1 axis2"

-- tensordot's `axes` is a number of axes.
local counts_axes = {tensordot = true}

local namespaces = {"layers", "activations", "initializers", "regularizers", "constraints",
  "losses", "metrics", "optimizers", "callbacks", "random"}

local function default_of(source)
  return args.signature("default", "a=" .. source)[1].default
end

local function one_based(v)
  if type(v) == "table" then
    local out = {}
    for i, x in ipairs(v) do out[i] = one_based(x) end
    return out
  end
  return math.type(v) == "integer" and v >= 0 and v + 1 or v
end

local function compare(list, name, signature, keras)
  for _, a in ipairs(keras) do
    local entry, extra = signature.index[a[1]], signature.extra
    local taken = a[1]:find "^%*" or a[1] == "self" or extra == true or extra and extra[a[1]]
    if not entry then
      if not taken then list[#list + 1] = ("%s has no argument '%s'"):format(name, a[1]) end
    elseif a[2] == json.null then
      if not entry.required then list[#list + 1] = ("%s: %s has a default"):format(name, a[1]) end
    else
      local want = default_of(a[2])
      if axis_arguments[a[1]] and not counts_axes[name] then want = one_based(want) end
      if not pcall(assert.same, want, entry.default) then
        list[#list + 1] = ("%s: the default of %s is %s, in Keras %s"):format(name, a[1],
          tostring(entry.default), a[2])
      end
    end
  end
end

describe("Keras's names", function()
  if not names then
    pending "skipped: no ../shared"
    return
  end

  for _, namespace in ipairs(namespaces) do
    local keras = names["keras." .. namespace]

    it("are all there in nn." .. namespace, function()
      local missing = {}
      for name in pairs(keras) do
        if nn[namespace][name] == nil and not (absent[namespace] or {})[name] then
          missing[#missing + 1] = name
        end
      end
      assert.same({}, missing)
    end)

    it("have Keras's arguments and defaults in nn." .. namespace, function()
      local differences, compared = {}, 0
      for name, entry in pairs(keras) do
        local value = nn[namespace][name]
        local signature = type(value) == "table" and value.signature or args.describe(value)
        if signature then
          compared = compared + 1
          compare(differences, name, signature, entry.args)
        end
      end
      assert.is_true(compared > 0)
      assert.same({}, differences)
    end)
  end

  it("of operations have Keras's arguments and defaults", function()
    local differences, compared = {}, 0
    for name, entry in pairs(names["keras.ops"]) do
      local signature = args.describe(nn.ops[name])
      if signature then
        compared = compared + 1
        compare(differences, name, signature, entry.args)
      end
    end
    assert.is_true(compared > 200)
    assert.same({}, differences)
  end)
end)
