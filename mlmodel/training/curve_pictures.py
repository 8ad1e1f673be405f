"""Training curves as a PNG."""

from mlmodel.training.run_folder import RunDirectory


def draw_curves(run: RunDirectory) -> None:
    """Write ``curves.png`` to the run's folder: training and validation loss and accuracy by epoch."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    rows = run.rows("epochs.csv")
    epochs = [int(row["epoch"]) for row in rows]
    figure, axes = pyplot.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    for axis, title, lines in (
        (axes[0], "Loss", {"loss": "training (as sampled)", "watched_loss": "validation (natural mix)"}),
        (
            axes[1],
            "Accuracy",
            {
                "accuracy": "training (as sampled)",
                "watched_accuracy": "validation",
                "watched_balanced_accuracy": "validation, balanced",
            },
        ),
    ):
        for column, label in lines.items():
            axis.plot(epochs, [float(row[column]) for row in rows], marker="o", markersize=3, label=label)
        axis.set_title(title)
        axis.set_xlabel("epoch")
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8)
    partial = run.path / "curves.partial.png"
    figure.savefig(partial, dpi=110)
    pyplot.close(figure)
    partial.replace(run.path / "curves.png")
