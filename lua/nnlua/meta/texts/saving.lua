-- Texts of nn.saving for the reference; see tools/docs/reference.lua.
-- Its lines are longer than 100 columns because a text, or an example, stands in one line.

local small = [[
local model = nn.Sequential{nn.layers.Dense{1, input_shape = {2}}}
]]

return {
  intro = [[Models and weights as files. The ending chooses the format: .keras, .h5, .weights.h5,
.safetensors, .npz, .weights.json; export writes .onnx and .c. Files are replaced as a whole, and
readers trust none of a file's numbers.]],
  source = "Keras 3.15.1, keras.saving.%s",
  errors = "Unknown ending; a file that is not there, damaged or not of this model. The "
    .. "model keeps "
    .. "its weights.",
  arguments = {
    compile = "Compile as it was saved.", safe_mode = "Taken for Keras's sake: no code is run.",
    skip_mismatch = "Leave out layers whose shapes differ.",
    by_name = "Match layers by name (.h5).",
    objects_to_skip = "Layers to leave out.", max_shard_size = "Gigabytes a file; nil: one file.",
    a = "{bytes=, tensors=, depth=}.", v = "The value.", json = "What to_json gave.",
  },
  entries = {
    save_model = {"Writes architecture, weights, compile arguments and the optimizer's state.",
      returns = "Nothing.",
      example = small .. 'nn.saving.save_model(model, os.tmpname() .. ".keras")'},
    load_model = {"Reads a model: .keras, .h5, .safetensors, or an .onnx file.",
    returns = "A model.",
      example = small .. [[
local path = os.tmpname() .. ".keras"
model:save(path)
print(#nn.saving.load_model(path).layers) --> 1]]},
    save_weights = {"Writes the weights alone.", returns = "Nothing.",
      example = small .. 'nn.saving.save_weights(model, os.tmpname() .. ".weights.h5")'},
    load_weights = {"Reads weights into a model.", returns = "Nothing.", example = small .. [[
local path = os.tmpname() .. ".safetensors"
model:save_weights(path)
nn.saving.load_weights(model, path)]]},
    export = {"Writes what predict computes for other programs: .onnx, or .c (one C file).",
      returns = "Nothing.", errors = "An op that the format does not have; its layer is named.",
      source = "ONNX; nnlua", example = small .. 'nn.saving.export(model, os.tmpname() .. ".c")'},
    limits = {"Caps for what is loaded from now on.", returns = "Nothing.", source = "nnlua",
      example = "nn.saving.limits{bytes = 1 << 40}"},
    register_serializable = {"Makes a class or function known to loading, as `package>name`.",
      returns = "The object.", args = {options = "{package=, name=}."}, example = [[
local double = function(x) return x * 2 end
nn.saving.register_serializable(double, {name = "double"})
print(nn.activations.serialize(double).config) --> Custom>double]]},
    serialize_keras_object = {"An object as data: {module=, class_name=, config=, "
      .. "registered_name=}.",
      returns = "A table.", example = [[
print(nn.saving.serialize_keras_object(nn.losses.Huber{}).class_name) --> Huber]]},
    deserialize_keras_object = {"The object from what serialize_keras_object gave.",
      returns = "An object.", example = [[
local data = nn.saving.serialize_keras_object(nn.losses.Huber{})
print(nn.saving.deserialize_keras_object(data).class_name) --> Huber]]},
  },
}
