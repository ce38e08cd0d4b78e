-- Texts of models and training for the reference; see tools/docs/reference.lua.
-- Its lines are longer than 100 columns because a text, or an example, stands in one line.

local small = [[
local model = nn.Sequential{nn.layers.Dense{1, input_shape = {2}, kernel_initializer = "ones"}}
]]
local compiled = small .. 'model:compile{optimizer = "sgd", loss = "mse", metrics = {"mae"}}\n'
local data = "local x, y = nn.tensor{{1, 2}, {3, 4}}, nn.tensor{{3}, {7}}\n"

return {
  intro = [[A model is built of layers, compiled with a loss and an optimizer, and trained by fit.
Sequential takes layers in order; Model{inputs=, outputs=} any graph of them; Model:extend a call of
your own.]],
  source = "Keras 3.15.1, keras.Model.%s",
  errors = "The message says where, what was expected and what came.",
  arguments = {
    inputs = "A symbolic tensor, a list, or a table by name.",
    outputs = "A symbolic tensor, a list, or a table by name.", layers = "A list of layers.",
    layer = "A layer.", tensor = "Taken for Keras's sake.", optional = "The input may be left out.",
    sparse = "Taken for Keras's sake.", ragged = "Taken for Keras's sake.",
    batch_shape = "The shape with the batch axis.", rebuild = "Build again.",
    x = "A tensor, nested tables, a list or table of tensors, a data set, or an iterator of "
      .. "batches.",
    input_shape = "A shape with the batch axis; false is an unknown size.",
    sample_weight = "Weights of the rows (N,), or of the loss's values.",
    class_weight = "Weights by class id; missing ones count 1.",
    compile = "Compile as it was saved.",
    safe_mode = "Taken for Keras's sake: no code is run.", ctx = "{training=, mask=}.",
    verbose = "0 silent, 1 bar, 2 a line an epoch, \"auto\".", ["..."] = "The arguments.",
    input_tensors = "Taken for Keras's sake.", clone_function = "Taken for Keras's sake.",
    call_function = "Taken for Keras's sake.", recursive = "Taken for Keras's sake.",
    index = "The position, from 1.", position = "{epoch=, batch=} that are done.",
    data = "A batch: {x, y, sample_weight}.", json = "What to_json gave.",
  },
  entries = {
    Sequential = {"Layers one after the other.", returns = "A model.",
      shapes = "(N, input_shape...) to the last layer's output.",
      example = small .. "print(model(nn.tensor{{1, 2}})) --> [[3.]]"},
    Model = {"A model of the calls between inputs and outputs, or (extend) of a call of your own.",
      returns = "A model.", shapes = "Those of inputs and outputs.",
      errors = "An output that does not depend on the inputs; two layers of one name.",
      example = [==[
local x = nn.Input{shape = {2}}
local model = nn.Model{inputs = x, outputs = nn.layers.Dense{1, kernel_initializer = "ones"}(x)}
print(model(nn.tensor{{1, 2}})) --> [[3.]]]==]},
    Input = {"The symbolic input of a functional model.", args = {
      shape = "Sizes without the batch; false is an unknown size."}, returns = "A symbolic tensor.",
      shapes = "(N, shape...).", errors = "shape and batch_shape both or neither.",
      example = "print(nn.Input{shape = {3}}.shape[2]) --> 3"},
    clone_model = {"A model of the same layers and names with fresh weights.", returns = "A model.",
      example = small .. "print(#nn.models.clone_model(model).layers) --> 1"},
    load_model = {"Reads a model from a file; as nn.saving.load_model.", returns = "A model.",
      example = small .. [==[
local path = os.tmpname() .. ".keras"
model:save(path)
print(nn.models.load_model(path)(nn.tensor{{1, 2}})) --> [[3.]]]==]},
    save_model = {"Writes a model to a file; as model:save.", returns = "Nothing.",
      example = small .. 'nn.models.save_model(model, os.tmpname() .. ".keras")'},
    model_from_json = {"A model with fresh weights from what to_json gave.", returns = "A model.",
      signature = "(json, custom_objects=nil)",
      example = small .. "print(#nn.models.model_from_json(model:to_json()).layers) --> 1"},
  },
  fields = {Model = {
    compiled = "Whether compile was called.", feature_space = "Turns raw rows into inputs; "
      .. "saved too.",
    input_shape = "The input's shape, false for the batch.", output_shape = "The output's shape.",
    inputs = "The symbolic inputs.", outputs = "The symbolic outputs.", jit_compile = "false.",
    layers = "The layers, in the order of the weights.", loss = "What compile was given.",
    metrics = "The loss tracker and the metrics.", metrics_names = "Names of the trackers.",
    seed = "What shuffling and dropout draw from.",
    stop_training = "true ends fit after its epoch.",
    history = "The History of the last fit.", optimizer = "The optimizer.",
  }},
  internal = {
    Model = "check_inputs check_unique flatten_inputs output_spec set_graph ordered_sublayers "
      .. "metric_direction train_step test_step compile_from_config get_compile_config "
      .. "get_metrics_result supports_jit",
    Sequential = "append ensure_built ordered_sublayers rebuild",
  },
  methods = {
    Model = {
      compile = {"Chooses loss, optimizer and metrics; weights stay as they are.", args = {
        optimizer = "A name or an optimizer.", loss = "A name, loss or function; a list or a "
          .. "table by "
          .. "output.", loss_weights = "Weights of several losses.",
        metrics = "Names, metrics or functions.",
        weighted_metrics = "Those that get sample weights.",
        run_eagerly = "Run the Lua code for each batch, without tracing.",
        steps_per_execution = "Batches between two calls of batch hooks.",
        jit_compile = "Taken for Keras's sake.", auto_scale_loss = "Taken for Keras's sake."},
        errors = "Unknown names; the message suggests the nearest.",
        example = compiled .. "print(model.compiled) --> true"},
      fit = {"Trains. Each epoch runs all batches, then the validation.", args = {
        epochs = "Number of the last epoch.", shuffle = "true: all rows anew each epoch; "
          .. "\"batch\": "
          .. "inside batches.", validation_split = "Share of the last rows to hold back.",
        validation_data = "{x, y}, {x, y, sample_weight} or a data set.",
        initial_epoch = "Number of the first epoch.",
        steps_per_epoch = "Batches of an epoch; nil: all.",
        validation_steps = "Batches of a validation; nil: all.", validation_batch_size = "nil: as "
          .. "batch_size.", validation_freq = "Epochs between validations, or a list of epochs.",
        max_seconds = "Ends after so many seconds.", resume = "A file to go on from, bit for bit."},
        shapes = "x (N, ...), y (N, ...): as many rows.", returns = "A History.",
        errors = "Rows that do not agree (`fit: x has 5 rows but y has 4`); a model that is not "
          .. "compiled; a split without rows.",
        example = compiled .. data
          .. "print(#model:fit{x, y, epochs = 3, verbose = 0}.history.loss) --> 3"},
      evaluate = {"Loss and metrics of data, without training.", shapes = "x (N, ...), y (N, ...).",
        returns = "A number, a list in the order of compile, or a table.",
        example = compiled .. data .. "print(model:evaluate{x, y, verbose = 0, return_dict = "
          .. "true}.loss) "
          .. "--> 0.0"},
      predict = {"Outputs for all rows of x, batch by batch.", shapes = "(N, ...) to (N, ...).",
        returns = "A tensor, or as many as there are outputs.",
        example = small .. "print(model:predict{nn.tensor{{1, 2}}, verbose = 0}) --> [[3.]]"},
      predict_classes = {"Class ids from 0: the largest output, or 1 above 0.5 of a single one.",
        shapes = "(N, ...) to (N,).", returns = "An int32 tensor.", source = "nnlua",
        example = small .. "print(model:predict_classes{nn.tensor{{1, 2}}, verbose = "
          .. "0}.size) --> 1"},
      train_on_batch = {"One step on one batch.", returns = "As evaluate: the loss, then metrics.",
        example = compiled .. data .. "print(model:train_on_batch(x, y)[1]) --> 0.0"},
      test_on_batch = {"Loss and metrics of one batch.", returns = "As evaluate.",
        example = compiled .. data .. "print(model:test_on_batch(x, y)[1]) --> 0.0"},
      predict_on_batch = {"Outputs of one batch.", returns = "A tensor.",
        example = small .. "print(model:predict_on_batch(nn.tensor{{1, 2}})) --> [[3.]]"},
      predict_step = "Outputs of one batch; own models may override it.",
      call = {"The outputs for inputs; models of your own write it.", signature = "(x, ctx)"},
      build = "Makes the weights for a batch shape such as {false, 39}.",
      summary = {"Prints Keras's table of layers.", args = {options = "line_length, positions, "
        .. "print_fn, expand_nested, show_trainable, layer_range."},
        example = small .. "model:summary{print_fn = function(text) shown = text end}\n"
          .. "print(#shown > 0) --> true"},
      get_layer = {"A layer by `name` or by `index` (from 1).", args = {a = "A name or an index."},
        returns = "A layer.", errors = "No such layer; the message names those there are.",
        example = small .. "print(model:get_layer{index = 1} == model.layers[1]) --> true"},
      save = {"Writes architecture, weights, compile arguments and the optimizer's state.",
        errors = "Unknown ending; a file that cannot be written.",
        example = small .. 'model:save(os.tmpname() .. ".keras")'},
      save_weights = {"Writes the weights alone.",
        example = small .. 'model:save_weights(os.tmpname() .. ".weights.h5")'},
      load_weights = {"Reads weights; on an error the model keeps its own.", example = small .. [[
local path = os.tmpname() .. ".weights.h5"
model:save_weights(path)
model:load_weights(path)]]},
      export = {"Writes what predict computes for other programs: .onnx, or .c (one C file).",
        errors = "An op that the format does not have; its layer is named.",
        example = small .. 'model:export(os.tmpname() .. ".onnx")'},
      to_json = {"The architecture as JSON.", returns = "A string.",
        example = small .. 'print(model:to_json():sub(1, 1)) --> {'},
      compute_loss = {"The loss of predictions as training counts it.",
        args = {a = "{y=, y_pred=, sample_weight=}."}, returns = "A scalar tensor."},
    },
    Sequential = {
      add = {"Adds a layer at the end.", example = [[
local model = nn.Sequential()
model:add(nn.layers.Dense{1})
print(#model.layers) --> 1]]},
      pop = {"Takes the last layer off and gives it.", returns = "A layer.",
        example = small .. "print(model:pop().class_name) --> Dense"},
      build = "Makes the weights for a batch shape such as {false, 39}.",
    },
  },
}
