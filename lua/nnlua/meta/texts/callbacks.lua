-- Texts of nn.callbacks for the reference; see tools/docs/reference.lua.
-- Its lines are longer than 100 columns because a text, or an example, stands in one line.

-- A fit of one weight with a callback, then a line that prints.
local function fit(callback, rest)
  return ([[
local model = nn.Sequential{nn.layers.Dense{1, input_shape = {1}}}
model:compile{optimizer = "sgd", loss = "mse"}
local callback = %s
local history = model:fit{nn.tensor{{1}, {2}}, nn.tensor{{1}, {2}}, epochs = 2, verbose = 0,
  callbacks = {callback}}
%s]]):format(callback, rest)
end

local file = "os.tmpname()"

return {
  intro = [[What listens to training. fit takes a list of callbacks, or plain tables of hooks:
`{on_epoch_end = function(self, epoch, logs) ... end}`. Epochs and batches count from 1; logs hold
the running means of the epoch, sorted by name.]],
  source = "Keras 3.15.1, keras.callbacks.%s",
  shapes = "",
  returns = "A callback.",
  errors = "An unknown mode or a monitor whose direction is unknown.",
  arguments = {
    monitor = "The key of logs to watch.", mode = "\"min\", \"max\" or \"auto\": by the key.",
    min_delta = "Smaller changes are none.", patience = "Epochs without improvement to wait for.",
    verbose = "1 prints what was done.", save_freq = "\"epoch\" or a number of batches.",
    epoch = "The epoch, from 1.", batch = "The batch, from 1.", logs = "Name -> number.",
    params = "{verbose=, epochs=, steps=}.", options = "width, height, metrics, title.",
    state = "What get_state gave.",
  },
  entries = {
    Callback = {"The base; own callbacks write the hooks that they want.", args = {}, example = fit(
      "nn.callbacks.Callback:extend(\"Counter\")()\n"
        .. "function callback:on_epoch_end(epoch) self.last = epoch end",
      "print(callback.last) --> 2")},
    CallbackList = {"Several callbacks as one.", args = {callbacks = "A list.",
      add_history = "Add a History.", add_progbar = "Add a ProgbarLogger.", model = "Their model."},
      example = [[
local list = nn.callbacks.CallbackList{{nn.callbacks.TerminateOnNaN{}}}
list:on_train_begin{}]]},
    History = {"What fit returns: `history` (name -> numbers), `epoch`, `params`, `stopped`.",
      args = {}, example = fit("nn.callbacks.History()", "print(#history.history.loss) --> 2")},
    ProgbarLogger = {"The progress bar of fit; verbose adds it.", args = {},
      example = "print(nn.callbacks.ProgbarLogger.class_name) --> ProgbarLogger"},
    EarlyStopping = {"Ends training when a value has not improved for `patience` epochs.",
      args = {baseline = "Improvement has to reach this too; nil: nothing.",
        restore_best_weights = "Go back to the weights of the best epoch at the end.",
        start_from_epoch = "Epochs to let pass first."},
      example = fit('nn.callbacks.EarlyStopping{monitor = "loss", patience = 3}',
        "print(history.stopped) --> nil")},
    ReduceLROnPlateau = {"Multiplies the rate by `factor` when a value stays where it is.",
      args = {factor = "From 0 to 1, 1 left out.", cooldown = "Epochs to wait after a reduction.",
        min_lr = "The smallest rate."},
      example = fit('nn.callbacks.ReduceLROnPlateau{monitor = "loss", patience = 5}',
        "print(#history.history.learning_rate) --> 2")},
    LearningRateScheduler = {"Sets the rate at each epoch's beginning.",
      args = {schedule = "A function (epoch, rate) that gives the rate; epochs from 1."},
      example = fit("nn.callbacks.LearningRateScheduler{function(epoch, rate) return rate / 2 end}",
        "print((\"%.4f\"):format(model.optimizer.learning_rate)) --> 0.0025")},
    ModelCheckpoint = {[[Saves the model as training goes. The file's name may hold `{epoch:02d}`,
`{batch}` and keys of logs such as `{val_loss:.2f}`. Training waits for a copy of the model alone: a
thread writes it, and all files are complete when fit returns.]],
      args = {save_best_only = "Only where the value improved.", save_weights_only = "No model.",
        initial_value_threshold = "What the first value has to beat; nil: nothing.",
        double_checkpoint = "Keep the file that a save replaces, with .bkp behind its name.",
        filepath = "Ends in .keras or .h5; weights alone in .weights.h5."},
      errors = [[Another ending; a key that logs do not hold; a file that cannot be written, at the
next save or when fit ends.]],
      example = fit('nn.callbacks.ModelCheckpoint{' .. file
        .. ' .. ".keras", monitor = "loss"}', "os.remove(callback.filepath)")},
    BackupAndRestore = {[[Keeps a backup while fit runs and goes on from it after an interruption,
with the same bits.]], args = {backup_dir = "A folder for it.",
        double_checkpoint = "Keep the one before too.",
        delete_checkpoint = "Remove it when fit ends well."},
      errors = "The model is not built.",
      example = fit("nn.callbacks.BackupAndRestore{" .. file .. ' .. ".backup"}',
        "print(#history.epoch) --> 2")},
    CSVLogger = {"Writes each epoch as a line of a CSV file.",
    args = {filename = "The file's name.",
      separator = "Between the values.", append = "Keep what the file holds."},
      example = fit("nn.callbacks.CSVLogger{" .. file .. "}",
        "print(io.open(callback.filename):read(10)) --> epoch,loss")},
    LambdaCallback = {"A callback of functions; other hooks can be given by name too.", args = {
      on_epoch_begin = "function(epoch, logs).", on_epoch_end = "function(epoch, logs).",
      on_train_begin = "function(logs).", on_train_end = "function(logs).",
      on_train_batch_begin = "function(batch, logs).",
      on_train_batch_end = "function(batch, logs)."},
      example = fit("nn.callbacks.LambdaCallback{on_train_end = function() print \"done\" end}",
        "print(#history.epoch) --> done") .. "\n--> 2"},
    RemoteMonitor = {"Sends each epoch's logs to a web server, as JSON by POST.", args = {
      root = "The server.", path = "The path on it.", field = "The form field.",
      headers = "Further headers, name -> value.", send_as_json = "JSON as the body, no form."},
      errors = "None: an unreachable server is a warning.",
      example = "print(nn.callbacks.RemoteMonitor{}.root) --> http://localhost:9000"},
    SwapEMAWeights = {"Tests and predicts with the averages of an optimizer with use_ema.",
      args = {swap_on_epoch = "Swap at each epoch's end too, for checkpoints."},
      errors = "The optimizer has no use_ema.", example = [[
local model = nn.Sequential{nn.layers.Dense{1, input_shape = {1}}}
model:compile{optimizer = nn.optimizers.SGD{0.1, use_ema = true}, loss = "mse"}
model:fit{nn.tensor{{1}}, nn.tensor{{1}}, verbose = 0,
  callbacks = {nn.callbacks.SwapEMAWeights{}}}]]},
    TensorBoard = {"Writes event files that TensorBoard shows: train/ and validation/ in log_dir.",
      args = {log_dir = "The folder.", histogram_freq = "Epochs between histograms of weights; 0: "
          .. "none.", write_graph = "Write the model's graph.",
          write_images = "Weights as pictures.",
        write_steps_per_second = "Write the speed.",
        update_freq = "\"epoch\", \"batch\" or a number "
          .. "of batches.", profile_batch = "Taken for Keras's sake.",
        embeddings_freq = "Epochs between files of embeddings; 0: none.",
        embeddings_metadata = "Names of the rows' labels."},
      errors = "A folder that cannot be written.",
      example = fit("nn.callbacks.TensorBoard{log_dir = " .. file .. ' .. ".logs"}',
        "print(#history.epoch) --> 2")},
    TerminateOnNaN = {"Ends training when the loss is NaN or infinite.",
      args = {raise_error = "Raise an error in place of that."},
      example = fit("nn.callbacks.TerminateOnNaN{}", "print(history.stopped) --> nil")},
  },
  methods = {
    Callback = {
      on_train_begin = "Training begins.", on_train_end = "Training has ended.",
      on_epoch_begin = "An epoch begins.", on_epoch_end = "An epoch, with its validation, "
        .. "has ended.",
      on_batch_begin = "A batch begins.", on_batch_end = "A batch has ended.",
      on_test_begin = "Evaluation begins.", on_test_end = "Evaluation has ended.",
      on_test_batch_begin = "A batch of an evaluation begins.",
      on_test_batch_end = "A batch of an evaluation has ended.",
      on_predict_begin = "Prediction begins.", on_predict_end = "Prediction has ended.",
      on_predict_batch_begin = "A batch of a prediction begins.",
      on_predict_batch_end = "A batch of a prediction has ended.",
      set_model = "Keeps the model as `self.model`.",
    },
    History = {
      names = {"The names of `history` in the order in which they came.", example = fit(
        "nn.callbacks.History()", "print(history:names()[1]) --> loss")},
      to_csv = {"Writes epoch and values as comma separated values.", example = fit(
        "nn.callbacks.History()", "history:to_csv(os.tmpname())")},
      series = {"The values of one name, and their epochs.", args = {name = "A key of history."}},
    },
  },
  internal = {History = "on_train_begin on_train_end on_epoch_end get_state "
    .. "set_state"},
}
